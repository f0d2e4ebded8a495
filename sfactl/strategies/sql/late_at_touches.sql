-- One row if anybody got to a touch of the turn $turn through $sender after those in the table touched were judged.
select 1
from walk_rows w
join flow_steps f on f.version_no = w.version_no and f.step_no = w.to_no and f.sender = $sender and f.turn = $turn
left join touched h on h.lead_id = w.lead_id and h.rotation = w.rotation and h.step_no = w.to_no
where w.version_no = $version_no and w.since is null and h.lead_id is null
limit 1
