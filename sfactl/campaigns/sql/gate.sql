-- One row per frozen message: the message, the values of its recipient, and, where it may not leave now, why (blocked).
-- Reads frozen (items of a plan), plan_rows (the same people judged now) and candidates.
select f.message_key, f.step, f.channel, f.recipient, c.*,
    case
        when c.lead_id is null then 'blocked:the lead is gone'
        when p.action is null then 'blocked:the earlier step is undone'
        when p.action = 'wait' then 'later:' || p.reason
        when p.action <> 'send' then 'blocked:' || p.reason
        when p.recipient is distinct from f.recipient then 'blocked:address changed since the plan'
        when p.inputs is distinct from f.inputs then 'blocked:values changed since the plan'
    end as blocked
from frozen f
left join candidates c on c.lead_id = f.lead_id
left join plan_rows p on p.lead_id = f.lead_id and p.step = f.step and p.rotation = f.rotation
order by f.lead_id, f.step
