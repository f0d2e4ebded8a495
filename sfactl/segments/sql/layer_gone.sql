-- One row: a lead that is stored in a class of the layer $layer and is in none now.
select s.layer, s.lead_id, s.class as was
from (select * from layers where layer = $layer) as s
left join {fresh} as f on f.lead_id = s.lead_id
where f.lead_id is null
