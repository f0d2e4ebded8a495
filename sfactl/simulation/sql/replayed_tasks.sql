-- One row: tasks that the strategy made in the replayed runs, simulated ones, and how many are the same.
with real as (
    select task_id, kind, title, lead_id, owner, step, created_at from tasks
    where campaign = $name and created_at between $start and $last
),
made as (
    select task_id, kind, title, lead_id, owner, step, created_at from sim_tasks where created_at between $start and $last
)
select (select count(*) from real), (select count(*) from made),
    (select count(*) from (select * from real intersect select * from made))
