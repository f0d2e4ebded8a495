-- One row is a message of a run in a made-up world: accepted at once, unless the test says that its step is refused.
-- Reads walked and given_refused.
select w.message_key, $plan as plan_id, $strategy as campaign, w.step, w.lead_id, w.channel, w.recipient, w.sender,
    cast($at as timestamp) as "at", case when r.lead_id is null then 'accepted' else 'refused' end as state,
    cast(1 as bigint) as attempts
from walked as w
left join given_refused as r on r.lead_id = w.lead_id and r.step = w.step
where w.action = 'send'
