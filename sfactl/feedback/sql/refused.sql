-- One row per address that is to be left in peace from now on, and why: it does not exist, its owner complained, or mail to
-- it came back on $soft_days days within the time since $since. Reads returned (new events) besides what is stored.
with every as (
    select recipient as address, kind, value, "at" from returned where recipient is not null
    union all
    -- Mail that comes back from where an address forwards to does not reach it either.
    select written_to as address, kind, value, "at" from returned where written_to <> recipient or recipient is null
    union all
    select lower(l.email) as address, t.kind, t.value, t."at"
    from touchpoints t
    join leads l on l.lead_id = t.lead_id
    join (
        select recipient from returned union select written_to as recipient from returned
    ) r on r.recipient = lower(l.email)
    where t.kind = 'bounce' and t.value < 1
),
judged as (
    select address,
        case
            when max(case when kind = 'complaint' then 1 else 0 end) = 1 then 'complaint'
            when max(case when kind = 'bounce' and value >= 1 then 1 else 0 end) = 1 then 'bounce'
            when count(distinct case when kind = 'bounce' and "at" >= $since then cast("at" as date) end) >= $soft_days
                then 'bounce'
        end as reason
    from every
    group by address
)
select 'email' as kind, j.address as value, 'all' as scope, j.reason, cast($now as timestamp) as "at"
from judged j
left join suppressions s on s.kind = 'email' and s.value = j.address and s.scope = 'all'
where j.reason is not null and j.address is not null and s.value is null
order by j.address
