-- One row: the event that a customer came into a class, moved to another or left the layer $layer.
select 'layer:' || $layer || ':' || $run || ':' || cast(lead_id as varchar) as event_id, $now as "at", $layer as layer, lead_id,
       was as from_class, class as to_class
from (
  select lead_id, was, class from changed where is_new or was is distinct from class
  union all
  select lead_id, was, cast(null as varchar) from gone
) as moves
