-- One row per time when a lead said whether marketing is wanted, now or later, or did what a strategy may end with.
select lead_id, kind, "at", topic, message_key
from touchpoints
where kind in ('unsubscribe', 'subscribe', 'consent', 'reply', 'meeting', 'call', 'form_submit') and lead_id is not null
