-- One row is a step that a lead has begun: when, when it was done (null: not yet), and until when it was watched.
with done as (
    select
        t.lead_id,
        min(t."at") as touched_at
    from touchpoints t
    left join (select rep_id from reps) r on r.rep_id = t.actor
    where
        t.direction = 'outbound'
        and t."at" <= cast($seen_at as timestamp)
        -- A mail of a campaign is outbound too, but no person wrote it to this lead.
        and (t.kind in ('call', 'meeting', 'demo') or r.rep_id is not null)
    group by t.lead_id
),

way as (
    select
        j.lead_id,
        j.part,
        j.lead_at,
        j.mql_at,
        j.sql_at,
        j.opportunity_at,
        j.quote_at,
        j.order_at,
        j.paid_at,
        j.won_at,
        d.touched_at,
        coalesce(j.dropped_at, case when j.won_at is null then j.lost_at end) as given_up_at
    from journey j
    left join done d on d.lead_id = j.lead_id
),

step as (
    select 0 as step_no, 'lead to first touch' as step, w.*, w.lead_at as started_at, w.touched_at as done_at from way w
    union all
    select
        1, 'lead to mql', w.*, w.lead_at,
        least(w.mql_at, w.sql_at, w.opportunity_at, w.quote_at, w.order_at, w.paid_at)
    from way w
    union all
    select 2, 'mql to sql', w.*, w.mql_at, least(w.sql_at, w.opportunity_at, w.quote_at, w.order_at, w.paid_at) from way w
    union all
    select 3, 'sql to opportunity', w.*, w.sql_at, least(w.opportunity_at, w.quote_at, w.order_at, w.paid_at) from way w
    union all
    select 4, 'opportunity to quote', w.*, w.opportunity_at, least(w.quote_at, w.order_at, w.paid_at) from way w
    union all select 5, 'quote to order', w.*, w.quote_at, least(w.order_at, w.paid_at) from way w
    union all select 6, 'order to paid', w.*, w.order_at, w.paid_at from way w
    union all select 7, 'opportunity to won', w.*, w.opportunity_at, w.won_at from way w
    union all select 8, 'lead to won', w.*, w.lead_at, w.won_at from way w
)

select
    step_no,
    step,
    part,
    lead_id,
    started_at,
    done_at,
    case when done_at is null then 0 else 1 end as done,
    case when done_at < started_at then 1 else 0 end as early,
    greatest(
        started_at,
        coalesce(
            done_at, case when given_up_at > started_at then given_up_at end, cast($seen_at as timestamp)
        )
    ) as until_at
from step
where started_at is not null and started_at <= cast($seen_at as timestamp)
