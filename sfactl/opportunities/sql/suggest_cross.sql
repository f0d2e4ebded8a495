-- One row: a product that a customer lacks and a rule says they may want; the surest rule of those that say so.
select lead_id, sku, because, support, confidence, lift, together as customers, cast(null as varchar) as reason
from (
  select fit.lead_id, r.sku, r.because, r.support, r.confidence, r.lift, r.together,
         row_number() over (partition by fit.lead_id, r.sku order by r.confidence desc, r.lift desc, r.because) as best
  from (
    select a.lead_id, s.place from surest as s join owned_items as a on a.item = s.first where s.second is null
    union all
    select a.lead_id, s.place
    from surest as s
    join owned_items as a on a.item = s.first
    join owned_items as b on b.item = s.second and b.lead_id = a.lead_id
    where s.second is not null
  ) as fit
  join surest as r on r.place = fit.place
  left join owned_items as o on o.lead_id = fit.lead_id and o.item = r.product
  left join products as p on p.sku = r.sku
  where o.lead_id is null and coalesce(p.active, true)
) as ranked
where best = 1
