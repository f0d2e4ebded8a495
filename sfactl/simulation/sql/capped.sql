-- One row per lead and step that had to wait for a cap for the first time. Reads walked.
select w.lead_id, w.rotation, w.step
from walked w
left join sim_capped c on c.lead_id = w.lead_id and c.rotation = w.rotation and c.step = w.step
where w.action = 'wait' and starts_with(w.reason, 'capped') and c.lead_id is null
