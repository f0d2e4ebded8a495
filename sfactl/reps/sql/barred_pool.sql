-- One row is a lead of candidates that lies in the public pool, with the rep who let it come there.
select c.lead_id, p.last_holder as barred
from candidates as c
join lead_pool as p on p.lead_id = c.lead_id
where p.state in ('pool', 'asleep') and p.last_holder is not null
