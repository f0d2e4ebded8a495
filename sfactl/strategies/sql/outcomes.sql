-- One row per touch or approval of the strategy that is over: how it ended, and when. A touch that was handed to a person
-- is over when the task is. Reads effects (what the ledger holds
-- and has not yet folded into messages). The last part of a key is its rotation.
select lead_id, step, rotation, min(outcome) as outcome, min("at") as settled_at
from (
    select lead_id, step, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, state as outcome, "at"
    from messages
    where campaign = $strategy and state in ('accepted', 'refused')
    union all
    select lead_id, step, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation, state as outcome, "at"
    from effects
    where campaign = $strategy and state in ('accepted', 'refused')
    union all
    select k.lead_id, k.step, try_cast(regexp_extract(k.task_id, '[0-9]+$') as bigint) as rotation,
        case when k.state = 'done' then 'accepted' else 'refused' end as outcome, k.done_at as "at"
    from tasks k
    join messages m on m.message_key = k.task_id and m.state = 'handed'
    where k.campaign = $strategy and k.state in ('done', 'dropped')
    union all
    select lead_id, step, try_cast(regexp_extract(task_id, '[0-9]+$') as bigint) as rotation,
        case when state = 'done' and lower(coalesce(result, 'approved')) = 'approved' then 'approved' else 'refused' end
            as outcome,
        done_at as "at"
    from tasks
    where campaign = $strategy and kind = 'approval' and state in ('done', 'dropped')
)
group by lead_id, step, rotation
