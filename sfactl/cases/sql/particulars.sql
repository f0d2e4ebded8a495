-- One row per message in passed, with what its template prints of the case, and the mail that it answers.
select p.*, e.case_id as case__id, c.subject as case__subject, e.to_status as case__status,
    e.from_status as case__status_before, c.channel as case__channel, c.category as case__category,
    c.priority as case__priority, coalesce(r.name, c.owner) as case__owner,
    strftime(timezone($zone, timezone('UTC', c.opened_at)), '%Y-%m-%d') as case__opened_on,
    case when e.kind = 'reopened' then 1 else 0 end as case__reopened,
    case when e.to_state in ('resolved', 'closed') then c.resolution end as case__resolution, e.reason as case__reason,
    'auto-replied' as auto_submitted, c.message_id as in_reply_to,
    case when c.message_id is not null then trim(coalesce(c.thread, '') || ' ' || c.message_id) end as "references"
from passed p
join case_events e on e.event_no = try_cast(regexp_extract(p.message_key, '[0-9]+$') as bigint)
join cases c on c.case_id = e.case_id
left join reps r on r.rep_id = c.owner
order by p.lead_id, e.event_no
