-- One row is a move: each lead to converted, and its opportunity to the first stage.
select
    'lead:' || lead_id || ':' || lpad(cast($seq as varchar), 12, '0') as event_id,
    $now as at,
    'lead' as entity,
    lead_id as entity_id,
    'sql' as from_stage,
    'converted' as to_stage,
    $actor as actor,
    'opportunity:' || opportunity_id as cause,
    'account ' || case when account_made then 'made' else 'found by ' || account_by end as reason
from conversions
union all
select
    'opportunity:' || opportunity_id || ':' || lpad(cast($seq as varchar), 12, '0'),
    $now,
    'opportunity',
    opportunity_id,
    null,
    $stage,
    $actor,
    'lead:' || lead_id,
    'converted'
from conversions
