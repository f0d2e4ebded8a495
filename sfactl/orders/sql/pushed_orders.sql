-- One row is an order whose place in the ERP was just learned, with its new status; all other columns stay.
select o.* replace (
    case when o.status = 'open' then 'pushed' else o.status end as status,
    n.erp as erp, n.erp_id as erp_id, n.number as erp_number, $now as updated_at
)
from orders o
join refs_now n on n.order_id = o.order_id
