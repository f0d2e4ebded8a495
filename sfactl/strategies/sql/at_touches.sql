-- One row per lead that stands at a touch through $sender whose turn is $turn or later, in the version $version_no: which
-- touch, since when, and (arrived) since when before this plan; null for those who get there in it. Reads walk_staying,
-- walk_rows and flow_steps.
select s.lead_id, s.rotation, s.since, s.arrived, f.step, f.step_no, f.turn
from walk_staying s
join flow_steps f on f.version_no = s.version_no and f.step_no = s.step_no and f.sender = $sender and f.turn >= $turn
where s.version_no = $version_no
union all
select w.lead_id, w.rotation, cast($at as timestamp) as since, cast(null as timestamp) as arrived, f.step, f.step_no, f.turn
from walk_rows w
join flow_steps f on f.version_no = w.version_no and f.step_no = w.to_no and f.sender = $sender and f.turn >= $turn
where w.version_no = $version_no and w.since is null
