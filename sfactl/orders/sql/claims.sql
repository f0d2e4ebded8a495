-- One row is what one receipt may give to one touched receivable. A receipt's claims never add up to more than it has:
-- what a person or a rule matched comes first, what is left goes to the invoice that the ERP names.
with matched as (
    select receipt_id, receivable_id, kind, claimed from claims_in
    union all
    select a.receipt_id, a.receivable_id, a.kind, a.claimed
    from allocations a
    left join claims_in c on c.receipt_id = a.receipt_id and c.receivable_id = a.receivable_id
    where a.kind not in ('invoice', 'void') and c.receipt_id is null
),
cut as (
    select m.receipt_id, m.receivable_id, m.kind, m.claimed,
           greatest(least(m.claimed, r.amount - coalesce(sum(m.claimed) over (
               partition by m.receipt_id order by m.receivable_id rows between unbounded preceding and 1 preceding
           ), 0)), 0) as claim
    from matched m
    join receipts_now r on r.receipt_id = m.receipt_id
),
direct as (
    select r.receipt_id, v.receivable_id, 'invoice' as kind, r.amount as claimed,
           r.amount - coalesce(s.claim, 0) as claim
    from receivables_now v
    join receipts_now r on r.erp = v.erp and r.invoice_erp_id = v.erp_id and r.currency = v.currency
    left join (select receipt_id, sum(claim) as claim from cut group by receipt_id) s on s.receipt_id = r.receipt_id
),
both_kinds as (
    select receipt_id, receivable_id, kind, claimed, claim from direct
    union all
    select receipt_id, receivable_id, kind, claimed, claim from cut
)
select b.receipt_id, b.receivable_id,
       case when max(case when b.kind = 'invoice' then 1 else 0 end) = 1 then 'invoice' else max(b.kind) end as kind,
       max(b.claimed) as claimed, sum(b.claim) as claim
from both_kinds b
join touched t on t.receivable_id = b.receivable_id
group by b.receipt_id, b.receivable_id
