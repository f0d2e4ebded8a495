-- One row per step (its number) to which those go on who were skipped at a touch of the turn $turn through $sender.
select distinct w.to_no
from walk_rows w
join flow_steps f on f.version_no = w.version_no and f.step_no = w.step_no and f.sender = $sender and f.turn = $turn
where w.version_no = $version_no and w.to_no > 0
