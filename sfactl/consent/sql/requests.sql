-- One row per lead that has subscribed to $topic and not confirmed it, and for the how-manieth time it is asked to: who asks
-- again while the link of before is still good gets no second mail. Reads consents and spoken.
with heard as (
    select lead_id, kind, "at",
        lag(case when kind = 'subscribe' then "at" end) over (partition by lead_id order by "at") as before
    from consents
    where kind in ('unsubscribe', 'subscribe') and lead_id is not null and coalesce(topic, '') in ('', $topic)
)
select h.lead_id,
    cast(sum(case when h.before is null or h."at" > h.before + to_seconds($confirm_s) then 1 else 0 end) as bigint) as rotation
from heard h
join spoken s on s.lead_id = h.lead_id and s.state = 'asked'
where h.kind = 'subscribe'
group by h.lead_id
