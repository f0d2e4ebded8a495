-- One row per thing that happened between us and one lead, or that a plan decided about it, newest first; a decision that
-- plans made again and again is one row, at its last. With $campaign only of that campaign or strategy; $addresses are
-- those of the lead, in lower case. Reads held: messages in the ledger that are not folded yet.
with mine as (
    select cast($lead as bigint) as lead_id
    union
    select id as lead_id from record_aliases where entity = 'lead' and root_id = $lead
),
addresses as (select unnest(cast($addresses as varchar[])) as address),
of_lead as (
    select message_key from messages m join mine on mine.lead_id = m.lead_id
    union
    select message_key from messages m join addresses a on a.address = lower(m.recipient)
),
found as (
    select m."at", 1 as rank, 'message' as what, m.campaign, m.step, m.state as outcome,
        concat_ws(' · ', m.recipient, nullif(m.detail, '')) as detail, cast(1 as bigint) as times, m.message_key as source
    from messages m join of_lead o on o.message_key = m.message_key
    union all
    select h."at", 1 as rank, 'message' as what, h.campaign, h.step,
        case when h.state = 'planned' then 'to be tried again' else h.state end as outcome, h.recipient as detail,
        cast(1 as bigint) as times, h.message_key as source
    from held h left join mine on mine.lead_id = h.lead_id left join addresses a on a.address = lower(h.recipient)
    where mine.lead_id is not null or a.address is not null
    union all
    select max(i.planned_at) as "at", 0 as rank, 'plan' as what, p.campaign, i.step, i.action as outcome,
        coalesce(i.reason, 'not sent so far') as detail, count(*) as times, max_by(i.plan_id, i.planned_at) as source
    from plan_items i
    join mine on mine.lead_id = i.lead_id
    join plans p on p.plan_id = i.plan_id
    left join of_lead o on o.message_key = i.message_key
    left join tasks t on t.task_id = i.message_key
    left join held h on h.message_key = i.message_key
    where i.version is null and o.message_key is null and t.task_id is null and h.message_key is null
        and coalesce(i.reason, '') not in ('already sent', 'already made')
    group by p.campaign, i.step, i.action, i.reason
    union all
    select e."at", 0 as rank, 'strategy' as what, e.strategy as campaign, e.step, e.what as outcome,
        concat_ws(' · ', nullif(e.detail, ''), case when e.to_step <> '' then '→ ' || e.to_step end) as detail,
        cast(1 as bigint) as times, e.event_id as source
    from enrolment_events e join mine on mine.lead_id = e.lead_id
    union all
    select t.created_at as "at", 1 as rank, 'task' as what, t.campaign, t.step, t.state as outcome,
        concat_ws(' · ', t.title, t.owner, nullif(t.result, '')) as detail, cast(1 as bigint) as times, t.task_id as source
    from tasks t join mine on mine.lead_id = t.lead_id
    where t.campaign is not null and t.created_at is not null
    union all
    select t."at", 2 as rank, 'touch' as what, t.campaign, t.step, t.kind as outcome,
        concat_ws(' · ', nullif(t.content, ''), nullif(regexp_replace(left(t.text, 120), '\s+', ' ', 'g'), '')) as detail,
        cast(1 as bigint) as times, t.event_id as source
    from touchpoints t join mine on mine.lead_id = t.lead_id
    where t.kind <> 'visit' and not starts_with(t.event_id, 'sent.')
)
select "at", what, coalesce(campaign, '') as campaign, coalesce(step, '') as step, outcome, coalesce(detail, '') as detail,
    times, source
from found
where $campaign = '' or campaign = $campaign
order by "at" desc, rank desc, campaign, step, source
