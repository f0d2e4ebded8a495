-- One row per lead that ever said a word about $topic or about all mail, and what it comes to now: in, asked (it subscribed
-- and has not confirmed, where $double_opt_in) or out. Reads consents. The newest word counts; of two at once the no.
-- A link that confirms counts once, and for $confirm_s seconds after its message left.
with links as (
    select m.message_key, max(m."at") as sent_at
    from consents c
    join messages m on m.message_key = c.message_key
    where $double_opt_in and c.kind = 'consent' and c.message_key is not null
    group by m.message_key
),
heard as (
    select c.lead_id, c.kind, c."at", c.kind = 'unsubscribe' as is_no,
        -- Who changes their preferences by a signed link has shown that the mailbox is theirs.
        c.kind = 'consent' or not $double_opt_in or c.message_key is not null as is_sure,
        $double_opt_in and c.kind = 'consent' and c.message_key is not null
            and (c."at" > l.sent_at + to_seconds($confirm_s)
                or row_number() over (partition by c.message_key, c.kind, c.topic order by c."at") > 1) as is_void
    from consents c
    left join links l on l.message_key = c.message_key
    where c.kind in ('unsubscribe', 'subscribe', 'consent') and c.lead_id is not null
        and coalesce(c.topic, '') in ('', $topic)
),
last as (
    select lead_id, coalesce(max(case when is_no then "at" end), timestamp '0001-01-01 00:00:00') as no_at,
        max(case when not is_no and is_sure then "at" end) as yes_at,
        max(case when not is_no and not is_sure then "at" end) as asked_at
    from heard
    where not coalesce(is_void, false)
    group by lead_id
)
select lead_id, case when yes_at > no_at then 'in' when asked_at > no_at then 'asked' else 'out' end as state
from last
