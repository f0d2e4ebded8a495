-- One row is a node: the leads at it, those whom no strategy takes, and some of those.
with placed as (
    select
        l.lead_id,
        coalesce(s.node, '(no node yet)') as node,
        not exists (select 1 from caught c where c.lead_id = l.lead_id) as alone
    from leads l
    left join stand s on s.lead_id = l.lead_id
),

numbered as (
    select
        *,
        row_number() over (partition by node, alone order by lead_id) as nth
    from placed
)

select
    node,
    cast(count(*) as bigint) as leads,
    cast(count(case when alone then 1 end) as bigint) as by_none,
    list_sort(list(lead_id) filter (where alone and nth <= $sample)) as sample
from numbered
group by node
