-- One row is the change that took a deal out of the pipeline.
select
    'opportunity:' || c.opportunity_id || ':' || lpad(cast($seq as varchar), 12, '0') || ':disqualified_reason' as event_id,
    $now as at,
    'opportunity' as entity,
    c.opportunity_id as entity_id,
    'disqualified_reason' as field,
    cast(null as varchar) as old_value,
    c.reason as new_value,
    $actor as actor,
    $file || ': ' || c.rule as cause
from caught as c
