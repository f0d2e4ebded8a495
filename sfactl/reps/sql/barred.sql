-- One row is a lead of candidates with every rep who has it or had it before, parted by commas.
select lead_id, string_agg(rep_id, ',' order by rep_id) as barred
from (
    select c.lead_id, l.owner as rep_id from candidates as c join leads as l on l.lead_id = c.lead_id
    union
    select c.lead_id, a.rep_id
    from candidates as c
    join assignments as a on a.entity = 'lead' and a.entity_id = c.lead_id
) as holders
where rep_id is not null
group by lead_id
