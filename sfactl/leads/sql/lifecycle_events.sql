-- One row is the move of a lead of the temporary table movers; the commit read from makes its id unique and sortable.
select
    'lead:' || v.lead_id || ':' || lpad(cast($seq as varchar), 12, '0') as event_id,
    $now as at,
    'lead' as entity,
    v.lead_id as entity_id,
    v.from_stage,
    v.to_stage,
    $actor as actor,
    v.cause,
    v.reason
from movers as v
