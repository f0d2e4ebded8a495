-- One row: a lead that is a stored member of the segment $segment.
select m.lead_id, l.full_name, l.company, l.email, l.country, l.owner, m.since
from segment_members as m
left join leads as l on l.lead_id = m.lead_id
where m.segment = $segment
order by m.lead_id
