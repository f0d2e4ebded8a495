-- One row is a receipt without an invoice whose reference names exactly one open invoice of its currency. Where several
-- receipts name the same invoice, the earliest is served first.
with named as (
    select u.receipt as receipt_id, o.receivable_id, u.currency, u.unapplied, u.paid_on, o.open_amount,
           count(*) over (partition by u.receipt) as hits
    from unmatched u
    join receipts r on r.receipt_id = u.receipt
    join open_items o on o.currency = u.currency and o.open_amount > 0 and length(o.invoice) >= 3
        and contains(' ' || regexp_replace(coalesce(r.reference, ''), '[^\w-]+', ' ', 'g') || ' ', ' ' || o.invoice || ' ')
    where u.unapplied > 0 and coalesce(u.invoice, '') = ''
),
served as (
    select receipt_id, receivable_id, currency, unapplied, open_amount,
           coalesce(sum(unapplied) over (
               partition by receivable_id order by paid_on, receipt_id rows between unbounded preceding and 1 preceding
           ), 0) as before
    from named
    where hits = 1
)
select receipt_id, receivable_id, currency, cast(least(unapplied, open_amount - before) as decimal(18,4)) as claimed
from served
where open_amount > before
order by receipt_id
