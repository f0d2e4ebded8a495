-- One row per message that is settled with the run: its recipient goes on. Reads sim_new_sent, flow_versions and flow_ways.
select s.lead_id, s.rotation, s.step, w.to_step, s."at", s.state
from sim_new_sent s
join walked d on d.lead_id = s.lead_id and d.rotation = s.rotation and d.step = s.step and d.action = 'send'
join flow_versions v on v.version = d.version
join flow_ways w on w.version_no = v.version_no and w.step = s.step and w.way in (s.state, 'on')
where s.state in ('accepted', 'refused')
