-- One row is a reason for which rows of the log are no events, with the first of them.
select
    reason,
    cast(count(*) as bigint) as "rows",
    cast(min("row") as bigint) as first_row,
    arg_min(coalesce(written, ''), "row") as written
from log_event
where reason is not null
group by reason
order by reason
