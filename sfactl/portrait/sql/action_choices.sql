-- One row is a lead with the one action that is suggested now: what somebody set, else the first rule that holds and
-- does not rest. The tables outcomes, held (lead_id, place), rules and candidates are temporary.
with standing as (
    select n.*, o.taken_at
    from next_actions as n
    left join outcomes as o on o.event_id = n.task_id
    where n.lead_id in (select lead_id from candidates)
),
resting as (
    select distinct o.lead_id, o.rule
    from outcomes as o
    join rules as r on r.rule = o.rule
    where o.taken_at > r.rest_from
),
first_rule as (
    select h.lead_id, min(h.place) as place
    from held as h
    join rules as r on r.place = h.place
    join candidates as c on c.lead_id = h.lead_id
    where list_contains(r.stages, c.stage)
        and (r.rule = 'default' or not exists (
            select 1 from resting as x where x.lead_id = h.lead_id and x.rule = r.rule
        ))
    group by h.lead_id
),
ruled as (
    select f.lead_id, r.rule, r.action, r.reason, r.due_at from first_rule as f join rules as r on r.place = f.place
)
select
    c.lead_id,
    coalesce(c.full_name, c.email) as name,
    c.company,
    c.owner,
    c.stage,
    case when s.rule = 'override' and s.taken_at is null then s.action else r.action end as action,
    case when s.rule = 'override' and s.taken_at is null then 'override' else r.rule end as rule,
    case when s.rule = 'override' and s.taken_at is null then s.reason else r.reason end as reason,
    case
        when s.rule = 'override' and s.taken_at is null then s.due_at
        when s.rule = r.rule and s.action = r.action and s.taken_at is null then s.due_at
        else r.due_at
    end as due_at,
    case
        when s.rule = 'override' and s.taken_at is null then s.since
        when s.rule = r.rule and s.action = r.action and s.taken_at is null then s.since
        else $now
    end as since,
    case when s.rule = 'override' and s.taken_at is null then s.actor end as actor,
    case when s.rule = 'override' and s.taken_at is null then r.rule end as overrides,
    s.rule is not distinct from case when s.rule = 'override' and s.taken_at is null then 'override' else r.rule end
        and (s.rule = 'override' or s.action = r.action)
        and s.taken_at is null
        and s.lead_id is not null as standing,
    s.task_id
from candidates as c
left join ruled as r on r.lead_id = c.lead_id
left join standing as s on s.lead_id = c.lead_id
where r.lead_id is not null or (s.rule = 'override' and s.taken_at is null)
