-- One row per lead that stands at the step $step_no of the version $version_no, since when, and (arrived) since when before
-- this plan; null for those who get there in it. Reads walk_standing, walk_left and walk_rows.
select s.lead_id, s.rotation, s.since, s.arrived
from walk_standing s
left join walk_left x on x.lead_id = s.lead_id and x.rotation = s.rotation
where s.version_no = $version_no and s.step_no = $step_no and s.state = 'active' and s.place = 1 and x.lead_id is null
union all
select w.lead_id, w.rotation, cast($at as timestamp) as since, cast(null as timestamp) as arrived
from walk_rows w
where w.version_no = $version_no and w.to_no = $step_no and w.since is null
