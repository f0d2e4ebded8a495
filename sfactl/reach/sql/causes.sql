-- One row per kind of event for which addresses are put on the list: the newest one of the lead, and what it says.
select kind, max_by(event_id, "at") as event_id,
    max_by(concat_ws(' · ', nullif(content, ''), nullif(left(text, 120), '')), "at") as said
from touchpoints
where lead_id = $lead and kind in ('bounce', 'complaint', 'unsubscribe')
group by kind
