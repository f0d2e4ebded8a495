-- One row is a lead of the cohort, and how far it has come: the furthest stage that anything bears witness to by $valid_at.
with walked as (
    select
        entity_id as lead_id,
        min(case when to_stage = 'mql' then "at" end) as mql_at,
        min(case when to_stage = 'sql' then "at" end) as sql_at,
        -- Dropped, unless it was taken up again afterwards.
        case when max(case when to_stage = 'disqualified' then "at" end) = max("at") then max("at") end as dropped_at
    from stage_events
    where entity = 'lead' and "at" <= cast($valid_at as timestamp)
    group by entity_id
),

quoted as (
    select
        lead_id,
        min(created_at) as quote_at
    from quotes
    where state <> 'draft' and created_at <= cast($valid_at as timestamp)
    group by lead_id
),

money as (
    select
        receivable_id,
        sum(amount) as settled,
        max(allocated_on) as settled_on
    from allocations
    where allocated_on <= cast($valid_at as date)
    group by receivable_id
),

billed as (
    select
        r.order_id,
        sum(r.amount) as owed,
        sum(coalesce(m.settled, 0)) as settled,
        max(m.settled_on) as settled_on
    from receivables r
    left join money m on m.receivable_id = r.receivable_id
    where r.state <> 'cancelled' and ($undated or r.invoiced_on <= cast($valid_at as date))
    group by r.order_id
),

ordered as (
    select
        o.lead_id,
        min(o."at") as order_at,
        min(
            case
                when b.settled >= b.owed then coalesce(cast(b.settled_on as timestamp), o."at")
                when o.status = 'paid' and $undated then coalesce(cast(b.settled_on as timestamp), o."at")
            end
        ) as paid_at
    from orders o
    left join billed b on b.order_id = o.order_id
    where
        o."at" <= cast($valid_at as timestamp)
        and (o.status <> 'cancelled' or o.cancelled_at > cast($valid_at as timestamp))
    group by o.lead_id
),

decided as (
    select
        lead_id,
        min(case when category = 'won' then coalesce(closed_at, updated_at) end) as won_at,
        max(case when category = 'lost' then coalesce(closed_at, updated_at) end) as lost_at,
        max(case when category = 'won' then 1 else 0 end) as won,
        max(case when category = 'lost' then 1 else 0 end) as lost
    from opportunities
    where $undated or coalesce(closed_at, updated_at) <= cast($valid_at as timestamp)
    group by lead_id
),

met as (
    -- A lead begins on the day of its first contact; where that is the day we learned of it, the minute is known too.
    select
        l.*,
        coalesce(
            l.first_contact_on, cast(timezone($zone, timezone('UTC', l.created_at)) as date)
        ) as lead_on,
        case
            when l.first_contact_on is null
                or l.first_contact_on = cast(timezone($zone, timezone('UTC', l.created_at)) as date)
                then l.created_at
            else timezone('UTC', timezone($zone, cast(l.first_contact_on as timestamp)))
        end as lead_at
    from leads l
),

journeys as (
    select
        l.lead_id,
        l.full_name,
        l.company,
        coalesce(l.source, 'unknown') as source,
        coalesce(l.channel, 'unknown') as channel,
        coalesce(l.direction, 'unknown') as direction,
        coalesce(l.event, 'none') as event,
        coalesce(l.country, 'unknown') as country,
        coalesce(l.owner, 'nobody') as owner,
        coalesce(l.campaign, 'none') as campaign,
        l.lead_on,
        l.lead_at,
        w.mql_at,
        w.sql_at,
        case
            when l.opportunity_id is not null and ($undated or l.converted_at <= cast($valid_at as timestamp))
                then l.converted_at
        end as opportunity_at,
        q.quote_at,
        o.order_at,
        o.paid_at,
        d.won_at,
        d.lost_at,
        w.dropped_at,
        coalesce(d.won, 0) as won,
        coalesce(d.lost, 0) as lost,
        case
            when o.paid_at is not null then 6
            when o.order_at is not null then 5
            when q.quote_at is not null then 4
            when
                l.opportunity_id is not null
                and ($undated or l.converted_at <= cast($valid_at as timestamp))
                then 3
            when w.sql_at is not null or ($undated and l.status in ('sql', 'converted')) then 2
            when w.mql_at is not null or ($undated and l.status = 'mql') then 1
            else 0
        end as reached
    from met l
    left join walked w on w.lead_id = l.lead_id
    left join quoted q on q.lead_id = l.lead_id
    left join ordered o on o.lead_id = l.lead_id
    left join decided d on d.lead_id = l.lead_id
    where l.lead_at is null or l.lead_at <= cast($valid_at as timestamp)
)

select
    *,
    cast(timezone($zone, timezone('UTC', mql_at)) as date) as mql_on,
    cast(timezone($zone, timezone('UTC', sql_at)) as date) as sql_on,
    cast(timezone($zone, timezone('UTC', opportunity_at)) as date) as opportunity_on,
    cast(timezone($zone, timezone('UTC', quote_at)) as date) as quote_on,
    cast(timezone($zone, timezone('UTC', order_at)) as date) as order_on,
    cast(paid_at as date) as paid_on,
    case $by
        when 'source' then source
        when 'channel' then channel
        when 'direction' then direction
        when 'event' then event
        when 'country' then country
        when 'owner' then owner
        when 'campaign' then campaign
        when 'month' then coalesce(strftime(lead_on, '%Y-%m'), 'unknown')
        when 'week' then coalesce(strftime(lead_on, '%G-W%V'), 'unknown')
        when 'quarter'
            then case when lead_on is null then 'unknown' else concat(strftime(lead_on, '%Y'), '-Q', cast(quarter(lead_on) as varchar)) end
        else ''
    end as part
from journeys
where
    (cast($since as date) is null or lead_on >= cast($since as date))
    and (cast($until as date) is null or lead_on <= cast($until as date))
