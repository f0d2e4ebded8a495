-- One row per answer that counts (the table counted), the newest on top, with whose it is.
select c."at", c.lead_id, l.full_name as lead, coalesce(a.name, l.company) as account, c.question, c.score, c.comment, c.channel
from counted c
left join leads l on l.lead_id = c.lead_id
left join accounts a on a.account_id = coalesce(l.account_id, c.account_id)
where ($lead is null or c.lead_id = $lead) and ($question = '' or c.question = $question)
    and ($most is null or c.score <= $most)
order by c."at" desc, c.lead_id, c.question
