-- One row is a lead that the rep asks for: why the rep may not have it, null where nothing is against it.
-- The place in braces is filled from the rules: until when the rep who lost a lead must wait.
with facts as (
    select w.place, l.lead_id, l.owner, coalesce(l.status, 'new') as status, h.protected_until,
        p.last_holder, {cools_at} as cools_at, c.holder as other, c.lead_id as other_lead,
        c.protected_until as other_until, c.same
    from wanted as w
    join leads as l on l.lead_id = w.lead_id
    left join holdings as h on h.lead_id = l.lead_id
    left join lead_pool as p on p.lead_id = l.lead_id and p.state in ('pool', 'asleep')
    left join flags as f on f.lead_id = l.lead_id
    left join (
        select * from collisions where holder <> $rep qualify row_number() over (partition by place order by lead_id) = 1
    ) as c on c.place = w.place
),
judged as (
    select
        *,
        case
            when status not in ('new', 'mql', 'sql') then 'it is ' || status
            when owner = $rep then rep_has
            when owner is not null and protected_until > $now
                then 'protected by ' || owner || ' until ' || strftime(protected_until, '%Y-%m-%d %H:%M')
            when other is not null
                then 'the same ' || same || ' as lead:' || other_lead || ', protected by ' || other || ' until '
                    || strftime(other_until, '%Y-%m-%d %H:%M')
            when last_holder = $rep and cools_at > $now
                then $rep || ' had it and may not claim it before ' || strftime(cools_at, '%Y-%m-%d %H:%M')
        end as refused
    from (select *, $rep || ' has it already' as rep_has from facts) as told
)
select
    place,
    lead_id,
    owner,
    case
        when refused is not null then refused
        when $room is not null and row_number() over (partition by refused is null order by place) > $room then $no_room
    end as refused
from judged
order by place
