-- One row per thing that happened with a lead and that its log does not hold yet. Reads walked.
select *
from (
    select $strategy || '.' || cast(w.lead_id as varchar) || '.' || cast(w.rotation as varchar) || '.' || w.step || '.'
            || w.what as event_id,
        coalesce(w.since, cast($now as timestamp)) as "at", $strategy as strategy, w.lead_id, w.rotation, w.version, w.step,
        w.what, w.detail, w.to_step, $plan as plan_id, w.step_no
    from (
        select *,
            case
                when action = 'enter' then 'entered'
                when action = 'hold' and step = 'entry' then 'control'
                when action = 'pass' and since is not null then case when reason = 'accepted' then 'sent' else reason end
                when action = 'pass' then 'moved'
                when action = 'task' then 'made'
                when action = 'approval' then 'asked'
                when action = 'push' then 'pushed'
                when action = 'skip' then 'skipped'
                when action = 'wait' then 'waited'
                when action = 'leave' then 'left'
            end as what,
            concat_ws(' · ', case when action <> 'enter' then reason end, owner) as detail
        from walked
    ) w
    where w.what is not null
) n
where n.event_id not in (select event_id from enrolment_events where strategy = $strategy)
