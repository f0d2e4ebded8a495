-- One row is a lead with the rep who would own it and why.
select g.lead_id, coalesce(l.full_name, l.company, l.email) as name, l.company, l.country, g.rep_id, g.rule, g.reason
from given as g
join leads as l on l.lead_id = g.lead_id
order by g.lead_id
