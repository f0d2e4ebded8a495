-- One row is a row of the log: its case, activity and actor, and the numbers of its time as they are written.
with cut as (
    select
        "row",
        nullif(trim(case_id), '') as case_id,
        nullif(trim(activity), '') as activity,
        nullif(trim(actor), '') as actor,
        lead_id,
        account_id,
        "time" as written,
        regexp_extract(
            regexp_replace(regexp_replace(trim("time"), '[年月]', '-', 'g'), '日', ' ', 'g'),
            '^(\d{1,4})[-/.](\d{1,2})[-/.](\d{1,4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?$',
            ['one', 'two', 'three', 'hour', 'minute', 'second', 'fraction', 'half', 'offset']
        ) as part
    from log_row
)

select
    "row",
    case_id,
    activity,
    actor,
    lead_id,
    account_id,
    written,
    length(part.one) = 4 as year_first,
    length(part.three) = 4 as year_last,
    try_cast(part.one as integer) as one,
    try_cast(part.two as integer) as two,
    try_cast(part.three as integer) as three,
    -- 12:30 AM is half an hour after midnight; 13:00 PM is a mistake that means 13:00.
    cast(
        case
            when part.half <> '' and coalesce(try_cast(part.hour as integer), 0) <= 12
                then coalesce(try_cast(part.hour as integer), 0) % 12 + case when lower(part.half) = 'pm' then 12 else 0 end
            else coalesce(try_cast(part.hour as integer), 0)
        end as bigint
    ) * 3600000000
    + coalesce(try_cast(part.minute as bigint), 0) * 60000000
    + coalesce(try_cast(part.second as bigint), 0) * 1000000
    + coalesce(try_cast(substr(rpad(part.fraction, 6, '0'), 1, 6) as bigint), 0) as micros,
    coalesce(try_cast(part.hour as integer), 0) < 24
    and coalesce(try_cast(part.minute as integer), 0) < 60
    and coalesce(try_cast(part.second as integer), 0) < 60 as clock_is_right,
    case
        when part."offset" = '' then null
        when part."offset" = 'Z' then 0
        else (case when part."offset" like '-%' then -1 else 1 end)
            * (cast(substr(part."offset", 2, 2) as bigint) * 60 + cast(right(part."offset", 2) as bigint))
    end as offset_minutes
from cut
