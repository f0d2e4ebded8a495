-- One row is a session on the web site: how many pages it had, on which it began, and who it was, where that is known.
with page as (
    -- What known visitors did is in both datasets under one id.
    select
        event_id,
        max("at") as seen_at,
        max(session_id) as session_id,
        max(content) as content,
        max(lead_id) as lead_id
    from (
        select event_id, "at", session_id, coalesce(content_id, content, page) as content, lead_id
        from touchpoints
        where kind = 'visit' and session_id is not null
        union all
        select event_id, "at", session_id, coalesce(content_id, page), lead_id
        from visits
        where session_id is not null
    )
    where
        "at" <= cast($seen_at as timestamp)
        and (
            cast($since as date) is null
            or cast(timezone($zone, timezone('UTC', "at")) as date) >= cast($since as date)
        )
        and (
            cast($until as date) is null
            or cast(timezone($zone, timezone('UTC', "at")) as date) <= cast($until as date)
        )
    group by event_id
)

select
    session_id,
    cast(count(*) as bigint) as pageviews,
    case when count(*) = 1 then 1 else 0 end as bounced,
    min(seen_at) as begun_at,
    -- Two pages in one instant: the id decides, never the order of rows.
    coalesce(min_by(content, concat(cast(seen_at as varchar), ' ', event_id)), 'unknown') as part,
    max(lead_id) as lead_id
from page
group by session_id
