-- One row is the newest assignment of the lead.
select at, strategy, reason, rep_id
from assignments
where entity = 'lead' and entity_id = $lead_id
order by at desc, event_id desc
limit 1
