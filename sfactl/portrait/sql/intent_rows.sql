-- One row is an intent that an utterance has by the answers that are kept.
select
    u.event_id,
    $extractor as extractor,
    a.label,
    u.lead_id,
    u.contact_id,
    u.account_id,
    u.at as "at",
    a.confidence,
    a.model,
    a.version,
    a.text_hash,
    a.at as extracted_at
from utterances as u
join intent_answers as a on a.extractor = $extractor and a.version = $version and a.text_hash = u.text_hash
where a.label <> ''
