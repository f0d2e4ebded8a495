-- One row per lead that stands at a step and does not leave. Reads walk_standing and walk_rows (those who leave).
select s.lead_id, s.rotation, s.version_no, s.step_no, s.since, s.arrived
from walk_standing s
left join walk_rows x on x.lead_id = s.lead_id and x.rotation = s.rotation and x.action = 'leave'
where s.state = 'active' and s.place = 1 and x.lead_id is null
