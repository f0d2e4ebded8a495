-- One row is a currency: what was owed on the day $on, what had been allocated by then, and receipts not yet applied.
select currency, cast(sum(receivable) as decimal(18,4)) as receivable, cast(sum(allocated) as decimal(18,4)) as allocated,
       cast(sum(unapplied) as decimal(18,4)) as unapplied
from (
    select currency, amount as receivable, 0 as allocated, 0 as unapplied
    from receivables
    where invoiced_on <= $on and (cancelled_on is null or cancelled_on > $on)
    union all
    select currency, 0, amount, -amount from allocations where allocated_on <= $on
    union all
    select currency, 0, 0, amount from receipts where paid_on <= $on
)
group by currency
order by currency
