-- One row is a pair of strategies, in the order of their names, that would take the same leads, with some of these.
select
    one,
    other,
    cast(count(*) as bigint) as leads,
    list_sort(list(lead_id) filter (where nth <= $sample)) as sample
from (
    select
        a.strategy as one,
        b.strategy as other,
        a.lead_id,
        row_number() over (partition by a.strategy, b.strategy order by a.lead_id) as nth
    from caught a
    inner join caught b on b.lead_id = a.lead_id and b.strategy > a.strategy
)
group by one, other
