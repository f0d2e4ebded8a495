-- One row is a lead of the stored plan that the plan in the temporary table items does not know.
select o.lead_id from assignment_plan_items as o where o.lead_id not in (select n.lead_id from items as n)
