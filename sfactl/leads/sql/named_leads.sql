-- One row per lead that a reference of the table refs (ref, number, email) fits: by its number, as the record is known
-- now, or by its e-mail address.
select r.ref, l.lead_id
from refs r left join record_aliases a on a.entity = 'lead' and a.id = r.number
join leads l on l.lead_id = coalesce(a.root_id, r.number)
union all
select r.ref, l.lead_id from refs r join leads l on lower(l.email) = r.email
order by ref, lead_id
