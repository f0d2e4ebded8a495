-- One row is what the plan in the temporary table items would do with a lead, where the stored one says otherwise.
select n.lead_id, n.rep_id, n.rule, n.reason
from items as n
left join assignment_plan_items as o on o.lead_id = n.lead_id
where o.lead_id is null or n.rep_id is distinct from o.rep_id or n.rule is distinct from o.rule
    or n.reason is distinct from o.reason
