-- One row is a lead without an owner in one of the stages that are given out.
select lead_id, country
from leads
where owner is null and list_contains($stages, coalesce(status, 'new'))
