-- One row is a step that leads took: from a name (null: the start) to a name (null: the end), and how often it converted.
with step as (
    select
        name as to_name,
        lag(name) over (partition by lead_id order by place) as from_name,
        place,
        length,
        hit
    from path
)

select
    from_name,
    to_name,
    cast(count(*) as bigint) as steps,
    cast(0 as bigint) as converted
from step
group by from_name, to_name
union all
select
    to_name,
    null,
    cast(count(*) as bigint),
    cast(sum(hit) as bigint)
from step
where place = length
group by to_name
