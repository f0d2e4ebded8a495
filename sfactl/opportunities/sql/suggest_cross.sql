-- One row: a product that a customer lacks and a rule says they may want; the surest rule of those that say so.
select lead_id, product as sku, because, support, confidence, lift, together as customers,
       cast(null as varchar) as reason
from (
  select fit.*,
         row_number() over (partition by fit.lead_id, fit.product order by fit.confidence desc, fit.lift desc, fit.because) as best
  from (
    select a.lead_id, r.product, r.first || coalesce(' + ' || r.second, '') as because, r.support, r.confidence, r.lift, r.together
    from rules as r
    join owned as a on a.sku = r.first
    left join owned as b on b.sku = r.second and b.lead_id = a.lead_id
    where r.second is null or b.lead_id is not null
  ) as fit
  left join owned as o on o.lead_id = fit.lead_id and o.sku = fit.product
  left join products as p on p.sku = fit.product
  where o.lead_id is null and coalesce(p.active, true)
) as ranked
where best = 1
