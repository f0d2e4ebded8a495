-- One row per lead and step about which two plans decide differently: another action or way, or a message or task to
-- another address, rep or with other values. Reads the tables earlier and later.
select coalesce(a.lead_id, b.lead_id) as lead_id, coalesce(a.step, b.step) as step,
    coalesce(b.action, '') as before, coalesce(a.action, '') as after,
    coalesce(a.reason, case when a.lead_id is null then 'no longer there' else '' end) as reason,
    coalesce(a.recipient, a.owner, b.recipient, b.owner) as "for",
    case when coalesce(a.recipient, a.owner) <> coalesce(b.recipient, b.owner) then coalesce(b.recipient, b.owner) end as was
from earlier b
full join later a on a.lead_id = b.lead_id and a.step = b.step and a.rotation = b.rotation
where a.action is distinct from b.action or a.recipient is distinct from b.recipient
    or a.owner is distinct from b.owner or a.inputs is distinct from b.inputs or a.to_step is distinct from b.to_step
order by 1, 2
