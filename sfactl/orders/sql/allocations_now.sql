-- One row is an allocation as it should be. Claims are taken by date of payment; what the running sum holds within
-- zero and the receivable's amount is allocated, so no receivable ever gets more than it asks for, on no day.
-- A cancelled invoice gives back on the day of its cancellation what it had got before it.
with running as (
    select c.receipt_id, c.receivable_id, c.kind, c.claimed, v.currency, v.cancelled_on,
           greatest(r.paid_on, v.invoiced_on) as allocated_on,
           greatest(v.amount, 0) as high, least(v.amount, 0) as low,
           sum(c.claim) over (
               partition by c.receivable_id order by r.paid_on, c.receipt_id
               rows between unbounded preceding and current row
           ) as until_here,
           coalesce(sum(c.claim) over (
               partition by c.receivable_id order by r.paid_on, c.receipt_id
               rows between unbounded preceding and 1 preceding
           ), 0) as before
    from claims c
    join receipts_now r on r.receipt_id = c.receipt_id
    join receivables_now v on v.receivable_id = c.receivable_id
),
given as (
    select receipt_id, receivable_id, kind, claimed, currency, cancelled_on, allocated_on,
           greatest(least(until_here, high), low) - greatest(least(before, high), low) as amount
    from running
    where cancelled_on is null or allocated_on < cancelled_on
)
select receipt_id || '>' || receivable_id as allocation_id, receipt_id, receivable_id, allocated_on, currency,
       cast(amount as decimal(18,4)) as amount, kind, cast(claimed as decimal(18,4)) as claimed
from given
where amount <> 0 or kind <> 'invoice'
union all
select receipt_id || '>' || receivable_id || ':void', receipt_id, receivable_id, cancelled_on, currency,
       cast(-amount as decimal(18,4)), 'void', null
from given
where cancelled_on is not null and amount <> 0
