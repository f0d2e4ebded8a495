-- One row per record: the last stage that its own events tell. Reads owners (each number that an event may carry, and
-- whose it is); the place in braces takes the events as they were written.
select o.root, e.to_stage
from owners o
join ({events}) e on e.entity = 'lead' and e.entity_id = o.id
where o.root in ($root, $merged)
qualify row_number() over (
    partition by o.root
    order by e."at" desc, case when e.from_stage is null then 0 else 1 end desc, e.event_id desc
) = 1
