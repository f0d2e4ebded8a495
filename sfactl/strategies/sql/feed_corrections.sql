-- One row per order of a feed that comes to another amount now than was told: the difference.
select $feed || '.' || cast(t.order_id as varchar) || '.' || cast(t.words + 1 as varchar) as push_key,
    cast($now as timestamp) as "at", $feed as feed, t.strategy, t.step, cast(null as varchar) as plan_id, t.lead_id,
    t.account_id, t.order_id, t.ordered_at, t.currency,
    cast(case when o.status = 'cancelled' or o.order_id is null then 0 else o.amount end - t.told as decimal(18, 4))
        as amount,
    'correction' as what, t.source, t.campaign
from (
    select order_id, count(*) as words, sum(amount) as told, min(strategy) as strategy, min(step) as step,
        max(lead_id) as lead_id, max(account_id) as account_id, min(ordered_at) as ordered_at, max(currency) as currency,
        min(source) as source, min(campaign) as campaign
    from feeds where feed = $feed group by order_id
) t
left join orders o on o.order_id = t.order_id
where t.told <> case when o.status = 'cancelled' or o.order_id is null then 0 else o.amount end
order by t.order_id
