-- One row per lead that stands at the step $step_no of the version $version_no, since when, and (arrived) since when before
-- this plan; null for those who get there in it. Reads walk_staying and walk_rows.
select s.lead_id, s.rotation, s.since, s.arrived
from walk_staying s
where s.version_no = $version_no and s.step_no = $step_no
union all
select w.lead_id, w.rotation, cast($at as timestamp) as since, cast(null as timestamp) as arrived
from walk_rows w
where w.version_no = $version_no and w.to_no = $step_no and w.since is null
