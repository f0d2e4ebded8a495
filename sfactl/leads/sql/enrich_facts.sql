-- One row is a fact to keep: told for the first time, told otherwise than before, or taken over for the first time.
select
    'lead' as entity,
    id as entity_id,
    $provider as provider,
    field,
    value,
    cast($now as timestamp) as fetched_at,
    state in ('filled', 'renewed', 'overwritten') or (was_taken and told_before = value) as taken
from weighed
where told_before is distinct from value
    or (state in ('filled', 'renewed', 'overwritten') and not was_taken)
