-- One row per lead of the audience that may enter now, before goal, exit and limit: it is not in, may be in again, is not
-- blacklisted, and no other strategy of the group has it or gets it first. Reads walk_audience, blacklist, flow_group
-- (the other strategies of the group) and flow_rivals (those of higher priority, and who may be in them again).
with past as (
    select lead_id, max(rotation) as rotation, max(left_at) as left_at, count(*) - count(left_at) as inside
    from enrolments where strategy = $strategy group by lead_id
),
taken as (
    select distinct e.lead_id from enrolments e join flow_group g on g.strategy = e.strategy where e.left_at is null
),
rival_past as (
    select e.strategy, e.lead_id, max(e.left_at) as left_at
    from enrolments e join flow_rivals r on r.strategy = e.strategy
    group by e.strategy, e.lead_id
),
preferred as (
    select distinct w.lead_id
    from rival_audience w
    join flow_rivals r on r.strategy = w.strategy
    left join rival_past p on p.strategy = w.strategy and p.lead_id = w.lead_id
    where p.lead_id is null or p.left_at <= r.again_before
)
select a.lead_id, coalesce(p.rotation, 0) + 1 as rotation
from walk_audience a
left join past p on p.lead_id = a.lead_id
left join blacklist b on b.lead_id = a.lead_id
left join taken t on t.lead_id = a.lead_id
left join preferred x on x.lead_id = a.lead_id
where b.lead_id is null and t.lead_id is null and x.lead_id is null
    and (p.lead_id is null or (p.inside = 0 and p.left_at <= cast($again_before as timestamp)))
