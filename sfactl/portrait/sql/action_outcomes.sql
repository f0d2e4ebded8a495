-- One row is an action that was suggested or set by hand, when it ended, and when it was taken up (null: not).
with moves as (
    select e.*, lead(e.at) over (partition by e.lead_id order by e.at, e.event_id) as ended_at
    from next_action_events as e
    where e.at <= $now and {scope}
),
acts as (select * from moves where kind in ('suggested', 'overridden')),
taken as (
    select a.event_id, t.at as taken_at
    from acts as a
    join kinds as k on k.action = a.action
    join touchpoints as t on t.lead_id = a.lead_id and t.kind = k.kind
    where t.at > a.at and t.at <= coalesce(a.ended_at, $now) and t.at <= $now
    union all
    select a.event_id, t.done_at
    from acts as a
    join tasks as t on t.task_id = a.event_id
    where t.state = 'done' and t.done_at <= $now
),
first_taken as (select event_id, min(taken_at) as taken_at from taken group by event_id)
select
    a.event_id,
    a.at as since,
    a.lead_id,
    a.kind,
    a.action,
    a.rule,
    a.overrides,
    a.due_at,
    a.ended_at,
    f.taken_at
from acts as a
left join first_taken as f on f.event_id = a.event_id
