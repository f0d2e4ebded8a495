-- One row: the lead with that number, and what it is called.
select
    lead_id,
    concat_ws(' · ', full_name, company) as name
from leads
where lead_id = $id
