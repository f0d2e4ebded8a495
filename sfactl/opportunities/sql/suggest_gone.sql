-- One row: a stored suggestion that is no longer one.
select s.kind, s.lead_id, s.sku
from (select * from suggestions where kind = $kind) as s
left join best as f on f.lead_id = s.lead_id and f.sku = s.sku
where f.lead_id is null
