-- One row is a strategy at a node: how many of the leads there it takes.
select
    coalesce(s.node, '(no node yet)') as node,
    c.strategy,
    cast(count(*) as bigint) as leads
from caught c
left join stand s on s.lead_id = c.lead_id
group by coalesce(s.node, '(no node yet)'), c.strategy
order by node, strategy
