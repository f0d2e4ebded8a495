-- One row is the part of a cost that falls into the days asked for, in the workspace's currency; null without a rate.
with counted as (
    select
        c.cost_id,
        case $by
            when 'source' then coalesce(c.source, 'unknown')
            when 'channel' then coalesce(c.channel, 'unknown')
            when 'campaign' then coalesce(c.campaign, 'none')
            when 'event' then coalesce(c.event, 'none')
        end as part,
        c.spent_on,
        coalesce(c.spent_until, c.spent_on) as spent_until,
        c.currency,
        c.amount,
        date_diff('day', c.spent_on, coalesce(c.spent_until, c.spent_on)) + 1 as days,
        greatest(
            0,
            date_diff(
                'day',
                greatest(c.spent_on, coalesce(cast($since as date), c.spent_on)),
                least(
                    coalesce(c.spent_until, c.spent_on),
                    coalesce(cast($until as date), coalesce(c.spent_until, c.spent_on)),
                    cast($seen_on as date)
                )
            ) + 1
        ) as days_in
    from costs c
)

select
    c.*,
    f.factor,
    cast(
        round(cast(c.amount as double) * c.days_in / c.days * f.factor, cast($digits as integer)) as decimal(18, 4)
    ) as cost,
    cast(cast(c.amount as double) * c.days_in / c.days as decimal(18, 4)) as own_cost
from counted c
left join factor f on f.currency = c.currency and f.day = c.spent_on
where c.days_in > 0
