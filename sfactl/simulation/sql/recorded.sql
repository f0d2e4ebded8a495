-- One row per message that the strategy really sent, and how it ended. Reads sim_ledger (what is not settled yet).
select message_key, plan_id, state, "at" from messages where campaign = $name
union all
select message_key, plan_id, state, "at" from sim_ledger
