-- One row: an open deal with its expected value an hour and what that is made of; wanting says why one has none.
-- Equal values, to a ten-thousandth, go by the number of the deal; deals without a value come last.
select *, case when per_hour is not null then cast(row_number() over (order by {order}) as bigint) end as place,
       case when per_hour is not null
            then sum(hours) over (order by {order} rows between unbounded preceding and current row) end as hours_so_far
from (
  select *, round(cast(expected as double) / hours, 4) as per_hour
  from (
    select o.opportunity_id, o.name, a.name as account, o.owner, o.pipeline, o.stage, o.probability as p_win,
           case when o.probability = k.probability then 'stage' else 'deal' end as p_win_from,
           o.amount, o.currency, f.factor,
           cast(cast(o.amount as double) * f.factor * o.probability as decimal(28, 4)) as expected,
           coalesce(o.effort_h, nullif(k.effort_h, 0), $effort) as hours,
           case when o.effort_h is not null then 'deal' when k.effort_h > 0 then 'stage' else 'default' end as hours_from,
           case when o.amount is null then 'no amount' when f.factor is null then 'no rate for ' || o.currency
                when o.probability is null then 'no chance to win' end as wanting
    from opportunities as o
    left join accounts as a on a.account_id = o.account_id
    left join stages_known as k on k.pipeline = o.pipeline and k.stage = o.stage
    left join factor as f on f.currency = coalesce(o.currency, $into) and f.day = $day
    where o.category = 'open' and o.disqualified_reason is null
      and (cast($owner as varchar) is null or o.owner = $owner)
      and (cast($pipeline as varchar) is null or o.pipeline = $pipeline)
  ) as figured
) as ranked
order by {order}
