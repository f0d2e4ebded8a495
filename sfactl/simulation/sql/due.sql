-- One row per lead that was decided about and is still inside: when to look at it next, if nothing changes before.
-- Who stands at a touch is looked at in every run: caps, consent and windows are judged then. Reads walked, sim_changed (the
-- enrolments that the run changed) and enrolments (the strategy's own are the simulated ones, of those looked at).
with standing as (
    select lead_id, rotation, version, step, since from sim_changed where left_at is null and state = 'active'
    union all
    select e.lead_id, e.rotation, e.version, e.step, e.since
    from enrolments e
    left join sim_changed c on c.lead_id = e.lead_id and c.rotation = e.rotation
    where e.strategy = $strategy and e.left_at is null and e.state = 'active' and c.lead_id is null
)
select e.lead_id,
    case
        when w.lead_id is null and s.is_plain_wait
            then e.since + to_months(s.months) + to_seconds(s.seconds)
        when w.lead_id is not null and s.action = 'wait' then w.due_at
        else cast($at as timestamp)
    end as due_at
from (select distinct lead_id, rotation from walked) d
join standing e on e.lead_id = d.lead_id and e.rotation = d.rotation
join sim_steps s on s.version = e.version and s.step = e.step
left join walked w on w.lead_id = e.lead_id and w.rotation = e.rotation and w.step = e.step and w.to_step is null
    and w.action <> 'send'
