-- One row is the assignment of a lead of the temporary table given; the commit read from makes its id unique.
select
    'lead:' || g.lead_id || ':' || lpad(cast($seq as varchar), 12, '0') as event_id,
    $now as at,
    'lead' as entity,
    g.lead_id as entity_id,
    g.rep_id,
    l.owner as previous_rep_id,
    g.strategy,
    g.reason,
    g.rule
from given as g
join leads as l on l.lead_id = g.lead_id
