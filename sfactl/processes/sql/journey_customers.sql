-- One row is a customer at a node (0: at any): since when, for how long, and whether that is too long.
select
    w.lead_id,
    l.full_name,
    l.company,
    n.name as node,
    w.reached_at as since,
    date_diff('microsecond', w.reached_at, cast($now as timestamp)) / 86400000000.0 as there_days,
    coalesce(
        w.reached_at + to_months(n.stay_months) + to_microseconds(n.stay_micros) < cast($now as timestamp), false
    ) as overdue,
    l.owner
from way w
inner join node n on n.number = w.number
left join leads l on l.lead_id = w.lead_id
where w.here and ($number = 0 or w.number = $number) and (not $overdue_only
    or w.reached_at + to_months(n.stay_months) + to_microseconds(n.stay_micros) < cast($now as timestamp))
order by w.reached_at, w.lead_id
