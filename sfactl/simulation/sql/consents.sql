-- One row per time when a lead said whether marketing is wanted, now or later.
select lead_id, kind, "at"
from touchpoints
where kind in ('unsubscribe', 'subscribe', 'consent') and lead_id is not null
