-- One row is a deviation: a step the process does not allow, a case left where it may not end, too many, late, or missed.
select
    t.case_id,
    t.place,
    'order' as kind,
    t.number_before,
    t.number,
    t.moment,
    t.dataset,
    t.row_key,
    t.dataset_before,
    t.row_key_before,
    cast(null as bigint) as deadline,
    t.wait_us as over_us
from trace t
where not t.allowed
union all
select
    t.case_id,
    t.place,
    'unfinished' as kind,
    t.number as number_before,
    -1 as number,
    t.moment,
    t.dataset,
    t.row_key,
    cast(null as varchar) as dataset_before,
    cast(null as varchar) as row_key_before,
    cast(null as bigint) as deadline,
    cast(null as bigint) as over_us
from trace t
inner join replayed c on c.case_id = t.case_id
where t.newest and c.left_open
union all
select
    case_id,
    place,
    'too often' as kind,
    cast(null as integer) as number_before,
    number,
    moment,
    dataset,
    row_key,
    cast(null as varchar) as dataset_before,
    cast(null as varchar) as row_key_before,
    cast(null as bigint) as deadline,
    cast(null as bigint) as over_us
from (
    select
        t.*,
        row_number() over (partition by t.case_id, t.number order by t.place) as nth,
        a.at_most
    from trace t
    inner join activity a on a.number = t.number
    where a.at_most is not null
)
where nth > at_most
union all
select
    k.case_id,
    coalesce(k.met_place, k.place) as place,
    k.state as kind,
    d.number_from as number_before,
    d.number_to as number,
    coalesce(k.met_at, k.due_at) as moment,
    k.dataset,
    k.row_key,
    cast(null as varchar) as dataset_before,
    cast(null as varchar) as row_key_before,
    k.deadline,
    k.over_us
from kept k
inner join (select distinct deadline, number_from, number_to from deadline_part) d on d.deadline = k.deadline
where k.state in ('late', 'missed')
