-- One row per enrolment that the run changes, as it is afterwards. Reads moves, enrolments (the strategy's own are the
-- simulated ones, of those looked at) and sim_settled.
with mine as (select * from enrolments where strategy = $strategy),
moved as (
    select m.lead_id, m.rotation, m.version, coalesce(m.step, e.step) as step,
        coalesce(m.since, case when m.is_out then e.since end, cast($now as timestamp)) as since,
        coalesce(e.entered_at, cast($now as timestamp)) as entered_at,
        case when e.state = 'control' then 'control' else m.state end as state, m.reason,
        case when m.is_out then coalesce(m.since, cast($now as timestamp)) end as left_at
    from moves m
    left join mine e on e.lead_id = m.lead_id and e.rotation = m.rotation
    union all
    select e.lead_id, e.rotation, e.version, e.step, e.since, e.entered_at, e.state, e.reason, e.left_at
    from mine e
    join sim_settled s on s.lead_id = e.lead_id and s.rotation = e.rotation
    left join moves m on m.lead_id = e.lead_id and m.rotation = e.rotation
    where m.lead_id is null
)
select $strategy as strategy, m.lead_id, m.rotation, m.version,
    case when s.to_step is null or s.to_step = 'end' then m.step else s.to_step end as step,
    coalesce(s."at", m.since) as since, m.entered_at,
    case when s.to_step = 'end' then 'finished' else m.state end as state,
    case when s.to_step = 'end' then 'finished' else m.reason end as reason,
    case when s.to_step = 'end' then s."at" else m.left_at end as left_at,
    greatest(cast($now as timestamp), s."at") as changed_at
from moved m
left join sim_settled s on s.lead_id = m.lead_id and s.rotation = m.rotation
