-- One row: recorded messages of the replayed runs, simulated ones, and how many are the same in all that is known of both.
-- Reads sim_messages and sim_plans.
with real as (
    select message_key, step, lead_id, channel, recipient, sender, state, "at" from messages
    where plan_id in (select plan_id from sim_plans)
),
made as (
    select message_key, step, lead_id, channel, recipient, sender, state, "at" from sim_messages
    where "at" >= $start and state <> 'unknown'
)
select (select count(*) from real), (select count(*) from made),
    (select count(*) from (select * from real intersect select * from made))
