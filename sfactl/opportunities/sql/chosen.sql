-- One row is the number of a deal that passes the filters; a filter that is null lets all pass.
select o.opportunity_id
from opportunities as o
where (cast($stage as varchar) is null or o.stage = $stage)
    and (cast($owner as varchar) is null or o.owner = $owner)
    and (cast($pipeline as varchar) is null or o.pipeline = $pipeline)
    and (cast($category as varchar) is null or o.category = $category)
    and (cast($account_id as bigint) is null or o.account_id = $account_id)
    and ($disqualified or o.disqualified_reason is null)
