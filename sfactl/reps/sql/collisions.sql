-- One row is a lead that somebody protects and that has a key in common with a row of asked; the longest protected first.
select
    a.place,
    h.lead_id,
    coalesce(l.full_name, l.company, l.email) as name,
    l.company,
    h.holder,
    h.protected_until,
    string_agg(distinct a.kind, ', ' order by a.kind) as same
from asked as a
join customers as k on k.kind = a.kind and k.key = a.key
join holdings as h on h.lead_id = k.lead_id
join leads as l on l.lead_id = h.lead_id
where h.protected_until > $now and h.lead_id is distinct from a.own_lead and list_contains($keys, a.kind)
group by a.place, h.lead_id, l.full_name, l.company, l.email, h.holder, h.protected_until
order by a.place, h.protected_until desc, h.lead_id
