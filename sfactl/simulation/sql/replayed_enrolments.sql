-- One row: enrolments as they stood after the replayed runs, simulated ones, and how many are the same.
with real as (
    select lead_id, rotation, version, step, since, entered_at, state, reason, left_at from enrolments
    where strategy = $name
),
made as (
    select lead_id, rotation, version, step, since, entered_at, state, reason, left_at from sim_enrolments
)
select (select count(*) from real), (select count(*) from made),
    (select count(*) from (select * from real intersect select * from made))
