-- One row: a lead that is stored as member of a segment and does not meet its condition.
select k.segment, k.lead_id
from known as k
left join wanted as w on w.segment = k.segment and w.lead_id = k.lead_id
where w.lead_id is null
