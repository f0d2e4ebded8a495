-- One row per lead that is in and since entering did what its version lets people leave for, and what that was.
-- Reads walk_standing, flow_endings and consents: touchpoints, or those that count here.
select s.lead_id, s.rotation, min(c.kind) as ending
from consents c
join flow_endings x on x.kind = c.kind
join walk_standing s on s.lead_id = c.lead_id and s.version_no = x.version_no and c."at" >= s.entered_at
where c."at" <= $at
group by s.lead_id, s.rotation
