-- One row per posting of a form in case_form since $since that has opened no case yet, with the lead who posted it.
select t.event_id, t."at", t.content as form, t.text, t.lead_id, l.contact_id, l.account_id, l.owner, l.email as address,
    f.category, f.priority, f.subject
from touchpoints t
join case_form f on f.form = t.content
left join leads l on l.lead_id = t.lead_id
left join cases c on c.source = $source and c.source_key = t.event_id
where t.kind = 'form_submit' and t."at" >= $since and t."at" <= $now and c.case_id is null
order by t."at", t.event_id
