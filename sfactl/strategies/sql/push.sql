-- One row per lead: how many of its orders the feed does not know yet. Reads here and flow_ways.
with known as (select order_id from feeds where feed = $feed group by order_id),
fresh as (
    select o.lead_id, count(*) as orders
    from orders o
    join here h on h.lead_id = o.lead_id
    left join known k on k.order_id = o.order_id
    where k.order_id is null and o.status <> 'cancelled' and o."at" <= $at and ($since is null or o."at" >= $since)
    group by o.lead_id
)
select h.lead_id, h.rotation, cast($version_no as bigint) as version_no, $step as step, cast($step_no as bigint) as step_no,
    case when f.lead_id is null then 'pass' else 'push' end as action,
    case when f.lead_id is null then 'no order to tell'
        else cast(f.orders as varchar) || case when f.orders = 1 then ' order to ' else ' orders to ' end || $feed
    end as reason,
    cast(null as timestamp) as due_at, w.to_step, w.to_no, cast(null as timestamp) as since, h.arrived,
    cast(null as varchar) as channel, cast(null as varchar) as recipient,
    case when f.lead_id is not null
        then $key_prefix || $step || '.' || cast(h.lead_id as varchar) || '.' || cast(h.rotation as varchar)
    end as message_key,
    cast(null as varchar) as owner, cast(null as varchar) as inputs, cast(null as varchar) as sender
from here h
left join fresh f on f.lead_id = h.lead_id
left join flow_ways w on w.version_no = $version_no and w.step = $step and w.way = 'on'
