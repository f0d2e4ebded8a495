-- One row is an age of unpaid invoices in one currency.
with open_item as (
    select
        r.receivable_id,
        r.currency,
        r.due_on,
        r.amount - coalesce(a.settled, 0) as open_amount
    from receivables r
    left join (
        select
            receivable_id,
            sum(amount) as settled
        from allocations
        where allocated_on <= cast($today as date)
        group by receivable_id
    ) a on a.receivable_id = r.receivable_id
    where
        r.invoiced_on <= cast($today as date)
        and (r.cancelled_on is null or r.cancelled_on > cast($today as date))
),

aged as (
    select
        currency,
        open_amount,
        date_diff('day', due_on, cast($today as date)) as overdue_days
    from open_item
    where open_amount > 0
)

select
    currency,
    case
        when overdue_days <= 0 then 0
        when overdue_days <= 30 then 1
        when overdue_days <= 60 then 2
        when overdue_days <= 90 then 3
        else 4
    end as age_no,
    cast(count(*) as bigint) as invoices,
    cast(sum(open_amount) as decimal(18, 4)) as open_amount
from aged
group by 1, 2
order by 1, 2
