-- One row: what the log holds in all.
select
    cast(count(*) as bigint) as total,
    cast(count(case when reason is null then 1 end) as bigint) as good,
    cast(count(case when reason is null and nth > 1 then 1 end) as bigint) as doubles,
    cast(count(distinct case when reason is null then case_id end) as bigint) as cases,
    cast(count(distinct case when reason is null then activity end) as bigint) as activities,
    min(case when reason is null then moment end) as first_at,
    max(case when reason is null then moment end) as last_at
from log_event
