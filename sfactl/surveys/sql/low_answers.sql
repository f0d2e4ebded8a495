-- One row per answer that counts (the table counted) to the first question, of at most $most and given after $since, oldest
-- first. What belongs to a message is known by its round, so that who answers again opens no second case.
select c.lead_id, l.contact_id, coalesce(l.account_id, c.account_id) as account_id, l.owner,
    coalesce(l.full_name, l.company, l.email) as name, c.score, c.comment, c."at", c.channel,
    cast(c.lead_id as varchar) || ':' || coalesce(cast(c.rotation as varchar), c.answer_id) as "key"
from counted c
join leads l on l.lead_id = c.lead_id
where c.question = $question and c.on_scale and c.score <= $most and c."at" > $since and c."at" <= $at
order by c."at", c.lead_id
