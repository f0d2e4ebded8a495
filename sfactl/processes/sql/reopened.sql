-- One row: how many steps took a closed case up again, in how many cases, among how many that were ever closed.
select
    cast(count(case when c.number is not null and a.number is not null then 1 end) as bigint) as reopened,
    cast(count(distinct case when c.number is not null and a.number is not null then t.case_id end) as bigint) as cases,
    cast(count(distinct own.case_id) as bigint) as closed_cases
from trace t
left join reopening c on c.side = 'closed' and c.number = t.number_before
left join reopening a on a.side = 'again' and a.number = t.number
left join (
    select distinct
        x.case_id
    from trace x
    inner join reopening y on y.side = 'closed' and y.number = x.number
) own on own.case_id = t.case_id
where not t.anytime
