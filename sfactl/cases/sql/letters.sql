-- One row per mail in letters: whether it is known or ours, whose it is, and the case that it is about: the one whose notice
-- or mail it answers (letter_ids, the nearest first), else the one that its subject names, if it is the writer's.
with mine as (
    select left(sha256(message_key), 40) as local_part, provider_id, campaign, message_key
    from messages where state <> 'refused'
),
told as (
    select i.n, i.place, m.message_key
    from letter_ids i join mine m on m.local_part = i.local_part where m.campaign = $campaign
    union all
    select i.n, i.place, m.message_key
    from letter_ids i join mine m on m.provider_id = i.local_part where m.campaign = $campaign
    union all
    select i.n, i.place, m.message_key
    from letter_ids i join mine m on m.provider_id = i.local_part || '@' || i.domain where m.campaign = $campaign
),
threaded as (
    select t.n, t.place, e.case_id
    from told t join case_events e on e.event_no = try_cast(regexp_extract(t.message_key, '[0-9]+$') as bigint)
    union all
    select i.n, i.place, c.case_id from letter_ids i join cases c on c.message_id = i.whole
    union all
    select i.n, i.place, e.case_id from letter_ids i join case_events e on e.message_id = i.whole
),
answered as (
    select n, case_id from threaded qualify row_number() over (partition by n order by place, case_id desc) = 1
),
known_as as (
    select lower(trim(email)) as address, lead_id, 1 as rank from leads where email is not null
    union all
    select lower(trim(email)) as address, lead_id, 2 as rank from contacts where email is not null and lead_id is not null
    union all
    select lower(value) as address, lead_id, 3 as rank from identities where kind = 'email'
),
addressed as (
    select k.address, k.lead_id
    from known_as k
    join (select distinct sender from letters) s on s.sender = k.address
    qualify row_number() over (partition by k.address order by k.rank, k.lead_id) = 1
),
found as (
    select a.address, l.lead_id, l.contact_id, l.account_id, l.owner
    from addressed a
    left join record_aliases x on x.entity = 'lead' and x.id = a.lead_id
    join leads l on l.lead_id = coalesce(x.root_id, a.lead_id)
)
select t.n, k.event_id is not null as is_known,
    o.local_part is not null or u.address is not null or r.address is not null as is_ours,
    f.lead_id, f.contact_id, f.account_id, f.owner, coalesce(a.case_id, c.case_id) as case_id
from letters t
left join (select distinct event_id from case_events where event_id like 'mail:%') k on k.event_id = t.event_id
left join (select distinct local_part from mine) o on o.local_part = t.own_id
left join (select distinct address from ours) u on u.address = t.sender
left join (select distinct lower(trim(email)) as address from reps where email is not null) r on r.address = t.sender
left join found f on f.address = t.sender
left join answered a on a.n = t.n
left join cases c on c.case_id = t.token and (lower(c.address) = t.sender or c.lead_id = f.lead_id)
order by t.n
