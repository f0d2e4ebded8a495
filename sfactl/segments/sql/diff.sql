-- One row: a lead that joined or left the segment $segment since before_members was read.
select coalesce(a.lead_id, b.lead_id) as lead_id,
       case when b.lead_id is null then 'joined' else 'left' end as change,
       l.full_name, l.company,
       coalesce(a.since, b.since) as since
from (select lead_id, since from segment_members where segment = $segment) as a
full join before_members as b on b.lead_id = a.lead_id
left join leads as l on l.lead_id = coalesce(a.lead_id, b.lead_id)
where a.lead_id is null or b.lead_id is null
order by change, lead_id
