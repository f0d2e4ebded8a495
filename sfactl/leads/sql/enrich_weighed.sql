-- One row is a fact that the provider tells: what the lead holds (had), what the provider told before, and what becomes
-- of it: filled, known (the lead says the same), renewed (the lead holds what the provider told before), overwritten
-- (preferred to what somebody else gave), differing, or noted (no field of the lead).
select
    m.id,
    m.field,
    m.value,
    h.had,
    e.value as told_before,
    coalesce(e.taken, false) as was_taken,
    case
        when m.field not in (select unnest($fields)) then 'noted'
        when h.had is null then 'filled'
        when h.had = m.value then 'known'
        when e.taken and e.value = h.had then 'renewed'
        when $prefer then 'overwritten'
        else 'differing'
    end as state
from meant as m
left join held as h on h.id = m.id and h.field = m.field
left join enrichments as e
    on e.entity = 'lead' and e.entity_id = m.id and e.provider = $provider and e.field = m.field
