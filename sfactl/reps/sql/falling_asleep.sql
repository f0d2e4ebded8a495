-- One row is a lead that lay in the pool for too long: nobody claimed it and it did not stir.
select p.* replace ('asleep' as state, $now as since, 'nobody claimed it for ' || $sleep as cause)
from lead_pool as p
where p.state = 'pool' and p.since <= $sleep_before
    and p.lead_id not in (
        select t.lead_id from touchpoints as t
        where t.lead_id is not null and t.direction = 'inbound' and t.at > $sleep_before and t.at <= $now
    )
