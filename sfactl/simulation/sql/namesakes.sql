-- One row per lead that is not looked at yet and shares an address with one that is.
select distinct o.lead_id
from sim_shared o
where o.address in (select s.address from sim_shared s join sim_looked l on l.lead_id = s.lead_id)
    and o.lead_id not in (select lead_id from sim_looked)
