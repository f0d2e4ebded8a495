-- One row per change of a case that its customer may have to be told of, and is not settled in messages: which notice it is
-- (step), and why there is none whatever the gate says (why). Reads the table told: statuses with a notice.
select e.event_no, e.case_id, e."at", t.status as step, c.lead_id,
    case when c.silent is not null then c.silent
        when c.lead_id is null then 'nobody we know'
        when l.lead_id is null then 'the lead is gone'
        when e."at" < $fresh then 'no news any more: older than ' || $max_age end as why
from case_events e
join told t on t.status = e.to_status
join cases c on c.case_id = e.case_id
left join leads l on l.lead_id = c.lead_id
left join (
    select try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as event_no
    from messages where campaign = $campaign and "at" >= $since
) m on m.event_no = e.event_no
where e."at" >= $since and e.kind in ('opened', 'moved', 'reopened') and not coalesce(e.quiet, false) and m.event_no is null
