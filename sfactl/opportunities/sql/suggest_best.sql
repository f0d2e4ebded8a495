-- One row: a suggestion to a customer with its place among theirs, the surest first; whole, as it is stored.
select $kind as kind, lead_id, sku, product_name, place, because, support, confidence, lift, customers, reason, $now as as_of
from (
  select c.*, coalesce(p.name, s.name, c.sku) as product_name,
         row_number() over (partition by c.lead_id order by c.confidence desc, c.lift desc, c.sku) as place
  from chances as c
  left join products as p on p.sku = c.sku
  left join sold_as as s on s.sku = c.sku
) as ranked
where place <= $top
