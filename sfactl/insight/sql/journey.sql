-- One row is a lead of the cohort, and how far it has come: the furthest stage that anything bears witness to.
with walked as (
    select
        entity_id as lead_id,
        min(case when to_stage = 'mql' then cast("at" as date) end) as mql_on,
        min(case when to_stage = 'sql' then cast("at" as date) end) as sql_on
    from stage_events
    where entity = 'lead'
    group by entity_id
),

quoted as (
    select
        lead_id,
        min(cast(created_at as date)) as quote_on
    from quotes
    where state <> 'draft'
    group by lead_id
),

money as (
    select
        receivable_id,
        sum(amount) as settled,
        max(allocated_on) as settled_on
    from allocations
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
    where r.state <> 'cancelled'
    group by r.order_id
),

ordered as (
    select
        o.lead_id,
        min(cast(o."at" as date)) as order_on,
        min(case when o.status = 'paid' or b.settled >= b.owed then coalesce(b.settled_on, cast(o."at" as date)) end) as paid_on
    from orders o
    left join billed b on b.order_id = o.order_id
    where o.status <> 'cancelled'
    group by o.lead_id
),

decided as (
    select
        lead_id,
        max(case when category = 'won' then 1 else 0 end) as won,
        max(case when category = 'lost' then 1 else 0 end) as lost
    from opportunities
    group by lead_id
),

journeys as (
    select
        l.lead_id,
        l.full_name,
        l.company,
        coalesce(l.source, 'unknown') as source,
        coalesce(l.channel, 'unknown') as channel,
        coalesce(l.country, 'unknown') as country,
        coalesce(l.owner, 'nobody') as owner,
        coalesce(l.campaign, 'none') as campaign,
        coalesce(l.first_contact_on, cast(l.created_at as date)) as lead_on,
        w.mql_on,
        w.sql_on,
        case when l.opportunity_id is not null then cast(l.converted_at as date) end as opportunity_on,
        q.quote_on,
        o.order_on,
        o.paid_on,
        coalesce(d.won, 0) as won,
        coalesce(d.lost, 0) as lost,
        case
            when o.paid_on is not null then 6
            when o.order_on is not null then 5
            when q.quote_on is not null then 4
            when l.opportunity_id is not null then 3
            when w.sql_on is not null or l.status in ('sql', 'converted') then 2
            when w.mql_on is not null or l.status = 'mql' then 1
            else 0
        end as reached
    from leads l
    left join walked w on w.lead_id = l.lead_id
    left join quoted q on q.lead_id = l.lead_id
    left join ordered o on o.lead_id = l.lead_id
    left join decided d on d.lead_id = l.lead_id
)

select
    *,
    case $by
        when 'source' then source
        when 'channel' then channel
        when 'country' then country
        when 'owner' then owner
        when 'campaign' then campaign
        when 'month' then strftime(lead_on, '%Y-%m')
        else ''
    end as part
from journeys
where
    (cast($since as date) is null or lead_on >= cast($since as date))
    and (cast($until as date) is null or lead_on <= cast($until as date))
