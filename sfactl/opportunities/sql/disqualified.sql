-- One row is a deal that a rule takes out of the pipeline, whole.
select o.* replace (c.reason as disqualified_reason, $now as updated_at)
from opportunities as o
join caught as c on c.opportunity_id = o.opportunity_id
