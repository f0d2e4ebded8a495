-- One row per way that a lead is on in the strategy, with the number of its version and of its step; place 1 is the one
-- that counts where a merge left a lead with several. Reads flow_versions, flow_steps and looked_at.
select e.lead_id, e.rotation, v.version_no, e.step, s.step_no, e.since, e.entered_at, e.state,
    row_number() over (partition by e.lead_id order by e.rotation desc) as place
from enrolments e
join flow_versions v on v.version = e.version
left join flow_steps s on s.version_no = v.version_no and s.step = e.step
where e.strategy = $strategy and e.left_at is null
    and ($everybody or e.lead_id in (select lead_id from looked_at))
