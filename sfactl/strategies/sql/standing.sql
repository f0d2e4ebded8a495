-- One row per lead that is in, where it stands after what was under way is settled. Reads walk_inside and walk_rows.
select i.lead_id, i.rotation, i.version_no, coalesce(w.to_step, i.step) as step, coalesce(w.to_no, i.step_no) as step_no,
    coalesce(w.since, i.since) as since, case when w.lead_id is null then i.since end as arrived, i.entered_at, i.state,
    i.place
from walk_inside i
left join walk_rows w on w.lead_id = i.lead_id and w.rotation = i.rotation
where w.to_step is null or w.to_step <> 'end'
