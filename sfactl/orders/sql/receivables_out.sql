-- One row is a receivable to be written, with the state that its allocations give it.
select v.* replace (
    case when v.cancelled_on is not null then 'cancelled'
         when v.amount = coalesce(g.amount, 0) then 'settled'
         when coalesce(g.amount, 0) <> 0 then 'part'
         else 'open' end as state
)
from receivables_now v
join touched t on t.receivable_id = v.receivable_id
left join (select receivable_id, sum(amount) as amount from allocations_now group by receivable_id) g
    on g.receivable_id = v.receivable_id
