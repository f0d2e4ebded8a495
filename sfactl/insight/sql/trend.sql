-- One row is a lead that came to a stage for the first time, on a day.
with reached as (
    select lead_id, full_name, company, source, owner, 'leads' as what, lead_on as day from journey
    union all select lead_id, full_name, company, source, owner, 'mql', mql_on from journey
    union all select lead_id, full_name, company, source, owner, 'sql', sql_on from journey
    union all select lead_id, full_name, company, source, owner, 'opportunity', opportunity_on from journey
    union all select lead_id, full_name, company, source, owner, 'quote', quote_on from journey
    union all select lead_id, full_name, company, source, owner, 'order', order_on from journey
    union all
    select
        lead_id, full_name, company, source, owner, 'won', cast(timezone($zone, timezone('UTC', won_at)) as date)
    from journey
)

select
    *,
    cast(date_trunc($by, day) as date) as begins_on
from reached
where
    day is not null
    and (cast($since as date) is null or day >= cast($since as date))
    and (cast($until as date) is null or day <= cast($until as date))
