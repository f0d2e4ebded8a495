-- One row per answer that counts: the newest of a person to a question in one round of $survey. What was asked in person, and
-- belongs to no message, counts each time. on_scale says whether it was given on the scale that the survey has now.
select a.answer_id, a.lead_id, a.account_id, a.question, a.score, a.comment, a."at", a.channel, a.rotation,
    cast(timezone($zone, timezone('UTC', a."at")) as date) as day,
    a.kind = $kind and a.scale_low = $low and a.scale_high = $high as on_scale
from survey_answers a
where a.survey = $survey
qualify row_number() over (
    partition by a.lead_id, a.question, coalesce(cast(a.rotation as varchar), a.answer_id)
    order by a."at" desc, a.answer_id desc
) = 1
