-- One row per answer to one question (the table given) of somebody who is there: as it is to be stored, known or not.
select 'survey:' || g.given_id || ':' || g.question as answer_id, g."at", g.survey, g.question, g.kind, g.score, g.scale_low,
    g.scale_high, nullif(g.comment, '') as comment, l.lead_id, l.contact_id, l.account_id,
    nullif(g.message_key, '') as message_key, try_cast(regexp_extract(g.message_key, '[0-9]+$') as bigint) as rotation,
    g.channel, g.source, $actor as actor, g.given_id, g.step, g.is_first, k.answer_id is not null as is_known,
    k.score as known_score
from given g
left join record_aliases r on r.entity = 'lead' and r.id = g.lead_id
join leads l on l.lead_id = coalesce(r.root_id, g.lead_id)
left join (
    select a.answer_id, min(a.score) as score from survey_answers a
    join (select distinct 'survey:' || given_id || ':' || question as answer_id from given) x on x.answer_id = a.answer_id
    group by a.answer_id
) k on k.answer_id = 'survey:' || g.given_id || ':' || g.question
