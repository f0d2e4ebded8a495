-- One row per step that the run decided about for one lead, and one where it goes on because its message is settled.
select cast($at as timestamp) as "at", w.step, w.action, w.reason, w.to_step, w.due_at, w.recipient, w.owner, w.rotation
from walked w
where w.lead_id = $contact
union all
select s."at", s.step, 'settled', s.state, s.to_step, null, null, null, s.rotation
from sim_settled s
where s.lead_id = $contact
