-- One row per address (lower case) that $campaign, which is about $topic, may not write to: the reason on the list, if it is
-- there (suppressed), and whether somebody there said no (is_opted_out). Reads spoken, and people: those whose addresses a
-- list may name by a hash. A telephone number may be hashed with its + or without.
with listed as (
    select kind, lower(value) as value, reason from suppressions where scope in ('all', $campaign, $topic)
),
named as (
    select unnest([lower(trim(email)), phone, phone]) as address,
        unnest([lower(trim(email)), phone, substr(phone, 2)]) as text
    from people
),
hashed as (select address, unnest([md5(text), sha1(text), sha256(text)]) as hash from named),
found as (
    select value as address, reason from listed where kind <> 'hash'
    union all
    select n.address, h.reason from hashed n join listed h on h.value = n.hash and h.kind = 'hash'
    union all
    select unnest([lower(trim(l.email)), l.phone]) as address, 'unsubscribe' as reason
    from spoken s join leads l on l.lead_id = s.lead_id
    where s.state = 'out'
)
select address, min(case when reason <> 'unsubscribe' then reason end) as suppressed,
    max(case when reason = 'unsubscribe' then 1 else 0 end) = 1 as is_opted_out
from found
where address is not null
group by address
