-- One row per message of a plan that no receipt has settled and that is not among those which the ledger has (known), behind
-- the one of $after_lead and $after_step; $rotation is that of items which do not say their own, and $version, where it is
-- not empty, that of a strategy whose messages alone are meant.
select i.message_key, i.lead_id, i.step, i.channel, i.recipient, i.inputs, coalesce(i.rotation, $rotation) as rotation
from plan_items i
join (select unnest(cast($steps as varchar[])) as step) s on s.step = i.step
left join (select message_key from messages where plan_id = $plan) m on m.message_key = i.message_key
left join known k on k.message_key = i.message_key
where i.plan_id = $plan and i.action = 'send' and m.message_key is null and k.message_key is null
    and ($version = '' or i.version = $version)
    and (i.lead_id > $after_lead or (i.lead_id = $after_lead and i.step > $after_step))
order by i.lead_id, i.step
