-- One row per person and step of a survey: what a plan made now would do with those whose time has come (the table plan_rows),
-- and when it comes for the others (the table rounds). Until $until.
with said as (
    select p.lead_id, p.step, p.action as state, p.reason, coalesce(p.due_at, cast($at as timestamp)) as due_at
    from plan_rows p
    union all
    select r.lead_id, $first as step,
        case when r.rests_until >= r.ends_at then 'skip' when r.rests_until > r.due_at then 'rests' else 'later' end as state,
        case when r.rests_until >= r.ends_at then 'was written to lately, until it is no longer time'
            when r.rests_until > r.due_at then 'was written to lately' end as reason,
        greatest(r.due_at, coalesce(r.rests_until, r.due_at)) as due_at
    from rounds r
    where r.due_at > $at or r.rests_until is not null
)
select s.due_at, s.state, s.step, s.lead_id, l.full_name as lead, coalesce(a.name, l.company) as account, s.reason
from said s
left join leads l on l.lead_id = s.lead_id
left join accounts a on a.account_id = l.account_id
where s.state = 'send' or cast($until as timestamp) is null or s.due_at <= $until
order by s.due_at, s.lead_id, s.step
