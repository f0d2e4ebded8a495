-- One row: a suggestion that is new or says something else than what is stored.
select f.*
from best as f
left join (select * from suggestions where kind = $kind) as s on s.lead_id = f.lead_id and s.sku = f.sku
where s.lead_id is null or s.place <> f.place or s.because is distinct from f.because or s.support <> f.support
   or s.confidence <> f.confidence or s.lift <> f.lift or s.customers <> f.customers or s.reason is distinct from f.reason
   or s.product_name is distinct from f.product_name
