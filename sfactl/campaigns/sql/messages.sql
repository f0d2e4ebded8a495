-- One row per message, sent or in the ledger (the table held), newest first. Dead letters are also those that were refused.
select "at", state, campaign, step, lead_id, recipient, "key", detail
from (
    select "at", state, campaign, step, lead_id, recipient, "key", detail from held
    union all
    select "at", state, campaign, step, lead_id, recipient, message_key as "key", detail from messages
)
where ($state = '' or state = $state or ($state = 'dead' and state = 'refused')) and ($campaign = '' or campaign = $campaign)
order by "at" desc, "key"
