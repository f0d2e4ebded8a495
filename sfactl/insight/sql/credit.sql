-- One row is what one name on the way of one lead gets by one model; the parts of a lead add up to its units exactly.
with way as (
    select p.*
    from path p
    where p.hit = 1
),

weighed as (
    select
        lead_id,
        name,
        count(*) as touches,
        sum(case when place = 1 then 1.0 else 0.0 end) as w_first,
        sum(case when place = length then 1.0 else 0.0 end) as w_last,
        sum(1.0 / length) as w_linear,
        -- Only the ratio counts: measured from the last touch, the newest weighs 1 and nothing underflows to nought.
        sum(pow(2.0, -date_diff('second', touched_at, last_at) / cast($half_life_s as double))) as w_decay,
        sum(
            case
                when length = 1 then 1.0
                when length = 2 then 0.5
                when place in (1, length) then 0.4
                else 0.2 / (length - 2)
            end
        ) as w_position
    from (select *, max(touched_at) over (partition by lead_id) as last_at from way)
    group by lead_id, name
),

modelled as (
    select lead_id, name, touches, 'first' as model, w_first as weight from weighed
    union all select lead_id, name, touches, 'last', w_last from weighed
    union all select lead_id, name, touches, 'linear', w_linear from weighed
    union all
    select lead_id, name, touches, 'decay', w_decay / sum(w_decay) over (partition by lead_id) from weighed
    union all select lead_id, name, touches, 'position', w_position from weighed
    union all
    select lead_id, name, touches, 'shapley', 1.0 / count(*) over (partition by lead_id) from weighed
),

floored as (
    select
        m.model,
        m.lead_id,
        m.name,
        m.touches,
        u.currency,
        u.units,
        cast(floor(u.units * m.weight) as bigint) as least_units,
        u.units * m.weight - floor(u.units * m.weight) as remainder
    from modelled m
    join units u on u.lead_id = m.lead_id
    where m.model = $model or $model = 'all'
),

numbered as (
    select
        *,
        count(*) over (partition by model, lead_id, currency) as names,
        units - sum(least_units) over (partition by model, lead_id, currency) as rest,
        row_number() over (partition by model, lead_id, currency order by name) as name_no
    from floored
),

ranked as (
    -- Equal remainders take turns from lead to lead, so that no name gains by its place in the alphabet.
    select
        *,
        row_number() over (
            partition by model, lead_id, currency order by remainder desc, (name_no + lead_id) % names
        ) as turn
    from numbered
)

select
    model,
    lead_id,
    name,
    currency,
    touches,
    least_units
    + cast(floor(rest / names) as bigint)
    + case when turn <= rest - names * floor(rest / names) then 1 else 0 end as units
from ranked
union all
select
    m.model,
    u.lead_id,
    'no touch',
    u.currency,
    0,
    u.units
from units u
cross join (
    select unnest(['first', 'last', 'linear', 'decay', 'position', 'shapley']) as model
) m
where
    (m.model = $model or $model = 'all')
    and not exists (select 1 from path p where p.lead_id = u.lead_id)
