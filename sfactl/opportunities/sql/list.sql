-- One row is a deal as people list it; only those of the temporary table chosen.
select
    o.opportunity_id,
    o.name,
    a.name as account,
    o.owner,
    o.pipeline,
    o.stage,
    o.category,
    o.probability,
    o.amount,
    o.currency,
    cast(o.amount * cast(o.probability as decimal(9, 6)) as decimal(18, 4)) as weighted,
    o.close_date,
    o.source,
    o.disqualified_reason,
    o.created_at,
    o.updated_at
from opportunities as o
join chosen as c on c.opportunity_id = o.opportunity_id
left join accounts as a on a.account_id = o.account_id
order by o.opportunity_id
