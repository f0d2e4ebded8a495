-- One row is an order that the ERP must be told of: one not yet pushed, or one cancelled after it was pushed.
select o.order_id, o.status, o.account_id, o.lead_id, o.at, o.currency, o.payment_terms_days,
    o.amount, o.made_by
from orders o
left join erp_refs r on r.erp = $erp and r.kind = 'order' and r.our_key = $prefix || o.order_id
where ((o.status = 'open' and o.id_namespace is null and r.our_key is null)
       or (o.status = 'cancelled' and r.our_key is not null and r.state <> 'cancelled'))
  and ($only is null or list_contains($only, o.order_id))
order by o.order_id
