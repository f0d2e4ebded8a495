-- One row: the step up from the dearest product that a customer has of a family, in one currency.
select d.lead_id, s.product as sku, s.first as because, s.together / cast($customers as double) as support,
       s.together / cast(s.with_reason as double) as confidence,
       s.together * cast($customers as double) / (cast(s.with_reason as double) * q.customers) as lift, s.together as customers,
       'has ' || s.first || ', next dearer in ' || s.family || ': ' || cast(cast(s.price as decimal(18, 2)) as varchar) || ' → '
         || trim(cast(cast(s.next_price as decimal(18, 2)) as varchar) || ' ' || s.currency) as reason
from (
  select o.lead_id, o.sku, o.currency,
         row_number() over (partition by o.lead_id, p.family, o.currency order by p.price desc, o.sku) as place
  from owned as o
  join priced as p on p.sku = o.sku and p.currency = o.currency
) as d
join steps as s on s.first = d.sku and s.currency = d.currency
join priced as q on q.sku = s.product and q.currency = s.currency
left join owned as have on have.lead_id = d.lead_id and have.sku = s.product
where d.place = 1 and have.lead_id is null
  and s.together / cast(s.with_reason as double) >= $min_confidence
  and s.together * cast($customers as double) / (cast(s.with_reason as double) * q.customers) >= $min_lift
