-- One row per task that the strategy really made.
select task_id from tasks where campaign = $name
