-- One row per suppression of one of $addresses (in lower case), with the newest event that explains it: what the server
-- said of a bounce, or which mail was complained of.
with addresses as (select unnest(cast($addresses as varchar[])) as address),
causes as (
    select kind, max("at") as "at", max_by(event_id, "at") as event_id,
        max_by(concat_ws(' · ', nullif(content, ''), nullif(left(text, 120), '')), "at") as said
    from touchpoints
    where lead_id = $lead and kind in ('bounce', 'complaint', 'unsubscribe')
    group by kind
)
select s.value as address, s.scope, s.reason, s."at", coalesce(c.said, '') as said, coalesce(c.event_id, '') as event_id
from suppressions s
join addresses a on a.address = lower(s.value)
left join causes c on c.kind = s.reason
order by 1, 2
