-- One row per record that a plan merges with others: its group, and how sure the surest pair is that it belongs there.
select cluster_id, id, max(probability) as probability
from (
    select cluster_id, a as id, probability from dedupe_pairs where plan_id = $plan and decision = 'merge'
    union all
    select cluster_id, b as id, probability from dedupe_pairs where plan_id = $plan and decision = 'merge'
)
where cluster_id is not null
group by cluster_id, id
