-- One row per topic about which a lead last said something: whether it wants marketing, when, and the event that says so.
select coalesce(topic, '') as topic, kind, "at", coalesce(campaign, '') as campaign, coalesce(step, '') as step,
    coalesce(content, '') as content, event_id
from touchpoints
where lead_id = $lead and kind in ('unsubscribe', 'subscribe', 'consent')
qualify row_number() over (partition by topic order by "at" desc, kind desc, event_id) = 1
order by 1
