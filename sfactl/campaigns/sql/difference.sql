-- One row per recipient and step for whom two plans would do something different: send or task in one, not in the other,
-- or to another address, rep or with other values. Reads the tables earlier and later.
select coalesce(a.lead_id, b.lead_id) as lead_id, coalesce(a.step, b.step) as step,
    coalesce(b.action, '') as before, coalesce(a.action, '') as after,
    coalesce(a.reason, case when a.lead_id is null then 'no longer in the audience' else '' end) as reason,
    coalesce(a.recipient, b.recipient) as recipient,
    case when a.recipient <> b.recipient then b.recipient end as was
from earlier b
full join later a on a.lead_id = b.lead_id and a.step = b.step
where (coalesce(a.action, '') in ('send', 'task') or coalesce(b.action, '') in ('send', 'task'))
    and (a.action is distinct from b.action or a.recipient is distinct from b.recipient
        or a.owner is distinct from b.owner or a.inputs is distinct from b.inputs)
order by lead_id, step
