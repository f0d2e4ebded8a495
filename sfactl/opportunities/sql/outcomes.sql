-- One row is a group of deals with how they ended, with and without those that were filtered out.
select
    cast({group} as varchar) as of_group,
    count(*) filter (where o.category = 'won') as won,
    count(*) filter (where o.category = 'lost') as lost,
    count(*) filter (where o.category = 'open') as still_open,
    count(*) filter (where o.category = 'open' and o.disqualified_reason is not null) as filtered
from opportunities as o
where (cast($since as date) is null or cast(o.created_at as date) >= $since)
    and (cast($until as date) is null or cast(o.created_at as date) <= $until)
group by cast({group} as varchar)
order by 1 nulls last
