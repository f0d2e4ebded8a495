-- One row is a lead behind one cell of the funnel.
select
    lead_id,
    full_name,
    company,
    source,
    owner,
    lead_on,
    mql_on,
    sql_on,
    opportunity_on,
    quote_on,
    order_on,
    paid_on
from journey
where reached >= $stage_no and part = $part
order by lead_id
