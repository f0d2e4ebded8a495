-- One row is something that happened on the way to a won deal, up to the win, with the row that tells it.
select
    moment,
    what,
    "row"
from (
    select
        t."at" as moment,
        t.kind as what,
        'touchpoints ' || t.event_id as "row"
    from touchpoints t
    where t.lead_id = $lead
    union all
    select
        s."at" as moment,
        s.to_stage as what,
        'stage_events ' || s.event_id as "row"
    from stage_events s
    where (s.entity = 'lead' and s.entity_id = $lead) or (s.entity = 'opportunity' and s.entity_id = $opportunity)
    union all
    select
        q.created_at as moment,
        'quote' as what,
        'quotes ' || cast(q.quote_id as varchar) as "row"
    from quotes q
    where q.opportunity_id = $opportunity and q.state <> 'draft'
    union all
    select
        o."at" as moment,
        'order' as what,
        'orders ' || cast(o.order_id as varchar) as "row"
    from orders o
    where o.opportunity_id = $opportunity and o.status <> 'cancelled'
)
where moment <= cast($won_at as timestamp)
order by moment, "row"
