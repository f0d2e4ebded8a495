-- One row: a lead that meets a segment's condition and is not stored as its member.
select w.segment, w.lead_id
from wanted as w
left join known as k on k.segment = w.segment and k.lead_id = w.lead_id
where k.lead_id is null
