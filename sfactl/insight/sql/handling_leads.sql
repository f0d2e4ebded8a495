-- One row is a moment from which somebody else, or nobody (null), had a lead or a deal; a case begins with one.
with item as (
    select
        lead_id as case_id,
        lead_at as begun_at,
        coalesce(opportunity_at, dropped_at) as ended_at,
        nullif(owner, 'nobody') as owner
    from journey
    where $entity = 'lead' and lead_at is not null
    union all
    select
        opportunity_id,
        created_at,
        case when category <> 'open' and ($undated or closed_at <= cast($seen_at as timestamp)) then closed_at end,
        owner
    from opportunities
    where $entity = 'opportunity' and created_at <= cast($seen_at as timestamp)
),

change as (
    select
        a.entity_id as case_id,
        a."at" as since_at,
        a.rep_id as handler,
        a.previous_rep_id as handler_before,
        a.event_id,
        row_number() over (partition by a.entity_id order by a."at", a.event_id) as change_no
    from assignments a
    where a.entity = $entity and a."at" <= cast($seen_at as timestamp)
)

select
    i.case_id,
    least(i.begun_at, coalesce(c.since_at, i.begun_at)) as since_at,
    '' as event_id,
    -- Who had it before the first change; where nothing ever changed, who has it now.
    case when c.case_id is null then i.owner else c.handler_before end as handler,
    coalesce(i.ended_at, cast($seen_at as timestamp)) as ended_at
from item i
left join change c on c.case_id = i.case_id and c.change_no = 1
union all
select
    c.case_id,
    c.since_at,
    c.event_id,
    c.handler,
    coalesce(i.ended_at, cast($seen_at as timestamp))
from change c
join item i on i.case_id = c.case_id
