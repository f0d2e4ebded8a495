-- One row per way in which a lead is named (the table refs): by number, as it is known now, or by e-mail address. With the
-- number of leads that it fits.
with named as (
    select ref, try_cast(regexp_extract(ref, '^(?:lead:)?([0-9]+)$', 1) as bigint) as number, lower(ref) as email from refs
),
alive as (
    select n.ref, n.email, n.number, coalesce(a.root_id, n.number) as lead_id
    from named n left join record_aliases a on a.entity = 'lead' and a.id = n.number
)
select v.ref, count(l.lead_id) as leads, min(l.lead_id) as lead_id
from (
    select v.ref, l.lead_id from alive v join leads l on l.lead_id = v.lead_id
    union all
    select v.ref, l.lead_id from alive v join leads l on lower(l.email) = v.email where v.number is null
) l
right join named v on v.ref = l.ref
group by v.ref
