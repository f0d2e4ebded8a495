-- One row is a lead for which the newest plan and the temporary table items differ.
select
    coalesce(n.lead_id, o.lead_id) as lead_id,
    o.rep_id as before,
    n.rep_id as after,
    case when o.lead_id is null then 'new' when n.lead_id is null then 'gone' else 'moved' end as kind
from assignment_plan_items as o
full join items as n on n.lead_id = o.lead_id
where o.lead_id is null or n.lead_id is null or n.rep_id is distinct from o.rep_id
order by 1
