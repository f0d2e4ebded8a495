-- One row: how many entered in the period, and how those who were in it left or stand. The control group is counted apart.
select count(*) filter (where entered_at >= $start and state <> 'control') as entered,
    count(*) filter (where entered_at >= $start and state = 'control') as control,
    count(*) filter (where left_at >= $start and reason = 'goal' and state <> 'control') as goal,
    count(*) filter (where left_at >= $start and reason = 'goal' and state = 'control') as control_goal,
    count(*) filter (where left_at >= $start and reason not in ('goal', 'finished') and state <> 'control') as exited,
    count(*) filter (where left_at >= $start and reason = 'finished' and state <> 'control') as finished,
    count(*) filter (where left_at is null and state <> 'control') as inside,
    count(*) filter (where entered_at < $start and (left_at is null or left_at >= $start) and state <> 'control') as began
from sim_enrolments
