-- One row per person's answers that are new (the table recorded): the touchpoint that they become, worth the first score.
select 'survey:' || given_id as event_id, "at", 'survey_answer' as kind, lead_id, contact_id, account_id,
    'inbound' as direction, channel, survey as campaign, nullif(step, '') as step, question as content,
    cast(score as double) as "value", comment as text, message_key
from recorded
where is_first and not is_known
