-- One row is a deal that was there at the moment asked for, what had become of it by then, and the part it counts to.
with dealt as (
    select
        o.*,
        case
            when $undated or coalesce(o.closed_at, o.updated_at) <= cast($valid_at as timestamp) then o.category
            else 'open'
        end as standing,
        coalesce(l.source, o.source, 'unknown') as first_source,
        coalesce(l.channel, 'unknown') as first_channel,
        coalesce(l.direction, 'unknown') as first_direction,
        cast(timezone($zone, timezone('UTC', o.created_at)) as date) as created_on
    from opportunities o
    left join leads l on l.lead_id = o.lead_id
    where
        o.disqualified_reason is null
        and (o.created_at is null or o.created_at <= cast($valid_at as timestamp))
)

select
    opportunity_id,
    name,
    owner,
    lead_id,
    first_source as source,
    pipeline,
    standing as category,
    amount,
    currency,
    created_on,
    closed_at,
    case $by
        when 'source' then first_source
        when 'channel' then first_channel
        when 'direction' then first_direction
        when 'rep' then coalesce(owner, 'nobody')
        when 'product' then coalesce(product_interest, 'unknown')
        when 'campaign' then coalesce(campaign, 'none')
        when 'pipeline' then coalesce(pipeline, 'unknown')
        when 'currency' then coalesce(currency, 'unknown')
        when 'month' then coalesce(strftime(created_on, '%Y-%m'), 'unknown')
        else ''
    end as part,
    case when standing = 'won' then 1 else 0 end as won,
    case when standing = 'lost' then 1 else 0 end as lost
from dealt
where
    (cast($since as date) is null or created_on >= cast($since as date))
    and (cast($until as date) is null or created_on <= cast($until as date))
