-- One row per order that a step of a plan tells to a feed which does not know it yet.
with known as (select order_id from feeds where feed = $feed group by order_id)
select $feed || '.' || cast(o.order_id as varchar) || '.1' as push_key, cast($now as timestamp) as "at", $feed as feed,
    $strategy as strategy, i.step, $plan as plan_id, o.lead_id, o.account_id, o.order_id, o."at" as ordered_at, o.currency,
    o.amount, 'order' as what, l.source, l.campaign
from plan_items i
join orders o on o.lead_id = i.lead_id
left join leads l on l.lead_id = o.lead_id
left join known k on k.order_id = o.order_id
where i.plan_id = $plan and i.step = $step and i.version = $version and i.action = 'push' and k.order_id is null
    and o.status <> 'cancelled' and o."at" <= $at and ($since is null or o."at" >= $since)
order by o.order_id
