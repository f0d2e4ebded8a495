-- One row is something that a customer said or wrote: a form, a reply, the note of a call. What we sent is left out.
select
    t.event_id,
    t.lead_id,
    t.contact_id,
    t.account_id,
    t.at,
    l.language,
    -- A text is told by its words: blanks around it do not make another one.
    left(trim(t.text), 8000) as text,
    sha256(left(trim(t.text), 8000)) as text_hash
from touchpoints as t
left join leads as l on l.lead_id = t.lead_id
where trim(coalesce(t.text, '')) <> ''
    and not (coalesce(t.direction, '') = 'outbound' and t.kind not in ('call', 'meeting', 'demo', 'note'))
    and t.at <= $now
    and (cast($since as timestamp) is null or t.at >= $since)
