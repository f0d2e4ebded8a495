-- One row per lead that got to the step $step_no of the version $version_no since the step was taken. Reads walk_rows.
select w.lead_id, w.rotation, cast($at as timestamp) as since, cast(null as timestamp) as arrived
from walk_rows w
left join walk_rows d on d.version_no = w.version_no and d.step_no = w.to_no and d.lead_id = w.lead_id
    and d.rotation = w.rotation
where w.version_no = $version_no and w.to_no = $step_no and w.since is null and d.lead_id is null
