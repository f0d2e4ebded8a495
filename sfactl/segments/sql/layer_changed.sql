-- One row: a customer whose place in the layer $layer is new or differs from what is stored, whole.
select $layer as layer, f.lead_id, $kind as kind, f.class, f.code, f.value, $value_name as value_name, f.recency, f.frequency,
       f.third, case when s.class = f.class then s.since else $now end as since, $now as as_of,
       s.class as was, s.lead_id is null as is_new
from {fresh} as f
left join (select * from layers where layer = $layer) as s on s.lead_id = f.lead_id
where s.lead_id is null or s.class is distinct from f.class or s.code is distinct from f.code
   or s.value is distinct from f.value or s.recency is distinct from f.recency
   or s.frequency is distinct from f.frequency or s.third is distinct from f.third or s.kind <> $kind
