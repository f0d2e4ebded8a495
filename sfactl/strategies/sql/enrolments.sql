-- One row per enrolment that a plan or a settling changes, as it is written. Reads moves.
select $strategy as strategy, m.lead_id, m.rotation, m.version, coalesce(m.step, e.step) as step,
    coalesce(m.since, case when m.is_out then e.since end, cast($now as timestamp)) as since,
    coalesce(e.entered_at, cast($now as timestamp)) as entered_at,
    case when e.state = 'control' then 'control' else m.state end as state, m.reason,
    case when m.is_out then coalesce(m.since, cast($now as timestamp)) end as left_at, cast($now as timestamp) as changed_at
from moves m
left join enrolments e on e.strategy = $strategy and e.lead_id = m.lead_id and e.rotation = m.rotation
