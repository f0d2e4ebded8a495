-- One row is a lead of the temporary table given, whole, with its new owner.
select l.* replace (g.rep_id as owner, $now as updated_at)
from leads as l
join given as g on g.lead_id = l.lead_id
