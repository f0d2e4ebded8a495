-- One row per accepted message in settled: the touchpoint that it becomes. The id comes from the key, so it is the same
-- whenever it is made.
select 'sent.' || s.message_key as event_id, s."at", s.channel || '_sent' as kind, s.lead_id, l.contact_id, l.account_id,
    'outbound' as direction, s.channel, s.campaign, s.step, $actor as actor
from settled s
left join leads l on l.lead_id = s.lead_id
where s.state = 'accepted'
