-- One row is a lead that came to the outcome, and what is shared out for it: a thousand million parts, or money in minor units.
with sold as (
    select
        o.lead_id,
        coalesce(o.currency, '') as currency,
        sum(o.amount) as amount
    from opportunities o
    where
        o.lead_id is not null
        and (
            ($outcome = 'won' and o.category = 'won')
            or ($outcome <> 'won' and o.created_at <= cast($valid_at as timestamp))
        )
        and ($undated or $outcome <> 'won' or coalesce(o.closed_at, o.updated_at) <= cast($valid_at as timestamp))
    group by o.lead_id, coalesce(o.currency, '')
)

select
    f.lead_id,
    case when $value = 'amount' then coalesce(s.currency, '') else '' end as currency,
    case
        when $value = 'amount' then cast(round(coalesce(s.amount, 0) * coalesce(m.factor, 100)) as bigint)
        else 1000000000
    end as units
from fact f
left join sold s on $value = 'amount' and s.lead_id = f.lead_id
left join minor m on m.currency = coalesce(s.currency, '')
where f.hit = 1 and ($value = 'count' or s.lead_id is not null)
