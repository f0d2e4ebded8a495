-- One row is a sleeping lead that goes back into the pool: named in wanted, or stirred since it fell asleep.
select p.* replace (
    'pool' as state,
    $now as since,
    case when p.lead_id in (select lead_id from wanted) then 'woken by ' || $actor else 'it stirred by itself' end as cause
)
from lead_pool as p
where p.state = 'asleep'
    and case
        when $named then p.lead_id in (select lead_id from wanted)
        else p.lead_id in (
            select s.lead_id
            from lead_pool as s
            join touchpoints as t on t.lead_id = s.lead_id
            where s.state = 'asleep' and t.direction = 'inbound' and t.at > s.since and t.at <= $now
        )
    end
