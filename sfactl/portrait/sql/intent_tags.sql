-- One row is a tag that a lead (or a contact without one) should bear for what was said last.
select
    case when i.lead_id is not null then 'lead' else 'contact' end as entity,
    coalesce(i.lead_id, i.contact_id) as entity_id,
    w.tag,
    'extracted' as source,
    $extractor as author,
    max(i.at) as "at",
    max(case when w.months is null then null else i.at + to_months(w.months) + to_seconds(w.seconds) end) as expires_at,
    min(i.label) as rule,
    max(i.confidence) as confidence,
    case when i.lead_id is not null then i.lead_id end as lead_id,
    case when i.lead_id is null then i.contact_id end as contact_id
from intents_now as i
join tagging as w on w.label = i.label
where i.confidence >= w.least and coalesce(i.lead_id, i.contact_id) is not null
group by i.lead_id, i.contact_id, w.tag
having max(case when w.months is null then $now + interval 1 day
    else i.at + to_months(w.months) + to_seconds(w.seconds) end) > $now
