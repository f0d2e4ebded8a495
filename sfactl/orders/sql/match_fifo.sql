-- One row is what a receipt without an invoice gives to a receivable of the same customer and currency: money in order of
-- payment meets debts in order of their due date.
with money as (
    select receipt as receipt_id, customer, currency, unapplied as amount,
           sum(unapplied) over (
               partition by customer, currency order by paid_on, receipt rows between unbounded preceding and current row
           ) as until_here
    from unmatched
    where unapplied > 0 and customer <> '' and coalesce(invoice, '') = ''
),
debts as (
    select receivable_id, customer, currency, open_amount as amount,
           sum(open_amount) over (
               partition by customer, currency order by due_on, receivable_id
               rows between unbounded preceding and current row
           ) as until_here
    from open_items
    where open_amount > 0 and customer <> ''
)
select m.receipt_id, d.receivable_id, m.currency,
       cast(least(m.until_here, d.until_here) - greatest(m.until_here - m.amount, d.until_here - d.amount)
           as decimal(18,4)) as claimed
from money m
join debts d on d.customer = m.customer and d.currency = m.currency
    and m.until_here > d.until_here - d.amount and d.until_here > m.until_here - m.amount
order by m.receipt_id, d.receivable_id
