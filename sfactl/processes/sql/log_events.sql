-- One row is an event of the log with its moment and the id that it gets; reason says why a row is none.
with dated as (
    select
        *,
        case
            when clock_is_right then try_cast(
                concat(
                    lpad(cast(case when $year_at = 1 then one else three end as varchar), 4, '0'),
                    '-',
                    lpad(
                        cast(
                            case
                                when $swapped and two <= 12 and three <= 12 then three
                                when $month_at = 1 then one
                                when $month_at = 2 then two
                                else three
                            end as varchar
                        ), 2, '0'
                    ),
                    '-',
                    lpad(
                        cast(
                            case
                                when $swapped and two <= 12 and three <= 12 then two
                                when $day_at = 1 then one
                                when $day_at = 2 then two
                                else three
                            end as varchar
                        ), 2, '0'
                    )
                ) as date
            )
        end as day
    from log_part
),

placed as (
    select
        *,
        case
            when (($year_at = 1 and year_first) or ($year_at = 3 and year_last))
                then cast(day as timestamp) + to_microseconds(micros)
        end as wall
    from dated
),

told as (
    select
        "row",
        case_id,
        activity,
        actor,
        lead_id,
        account_id,
        written,
        case
            when offset_minutes is not null then wall - to_minutes(offset_minutes)
            else timezone('UTC', timezone($zone, wall))
        end as moment,
        case
            when case_id is null then 'no case'
            when activity is null then 'no activity'
            when wall is null then 'no time that can be read'
        end as reason
    from placed
),

counted as (
    select
        *,
        row_number() over (partition by reason, case_id, activity, moment, actor order by "row") as nth
    from told
)

select
    "row",
    case_id,
    activity,
    actor,
    lead_id,
    account_id,
    written,
    moment,
    reason,
    nth,
    concat('log:', md5(concat_ws(chr(31), $process, case_id, activity, cast(moment as varchar), coalesce(actor, ''), cast(nth as varchar))))
        as event_id
from counted
