-- One row is a lead with its owner-to-be; its reason begins with whom it leaves and why.
select g.* replace (m.owner || ' ' || m.why || '; ' || g.reason as reason)
from seats_told as g
join misplaced as m on m.lead_id = g.lead_id
order by g.lead_id
