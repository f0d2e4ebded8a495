-- One row is the newest assignment of the lead.
select a.at, a.strategy, a.reason, a.rep_id, a.rule, a.event_id
from assignments as a
where a.entity = 'lead' and a.entity_id = $lead_id
order by a.at desc, a.event_id desc
limit 1
