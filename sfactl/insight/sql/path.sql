-- One row is a touch on the way of a lead to the outcome, or of a lead that has not come to it, with its place on the way.
with counted as (
    select
        f.lead_id,
        f.hit,
        f.outcome_at,
        t."at" as touched_at,
        t.event_id,
        case $by
            when 'channel' then coalesce(t.channel, 'unknown')
            when 'campaign' then coalesce(t.campaign, 'none')
            when 'content' then coalesce(t.content, 'unknown')
            else f.source
        end as name
    from touchpoints t
    join fact f on f.lead_id = t.lead_id
    where
        t."at" <= cast($valid_at as timestamp)
        and (f.hit = 0 or f.outcome_at is null or t."at" <= f.outcome_at)
        and case
            when $kinds = '' then t.kind not in ('unsubscribe', 'bounce', 'complaint', 'auto_reply', 'bot_open', 'bot_click', 'email_delivered', 'sms_delivered', 'note')
            else contains($kinds, concat(',', t.kind, ','))
        end
),

ended as (
    -- A way ends with the outcome; where there is none, or nobody knows when it came, with the last touch.
    select
        *,
        coalesce(case when hit = 1 then outcome_at end, max(touched_at) over (partition by lead_id)) as ended_at
    from counted
)

select
    lead_id,
    hit,
    name,
    touched_at,
    ended_at,
    event_id,
    row_number() over (partition by lead_id order by touched_at, event_id) as place,
    count(*) over (partition by lead_id) as length
from ended
where cast($window_s as bigint) is null or touched_at >= ended_at - cast($window_s as integer) * interval 1 second
