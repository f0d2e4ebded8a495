-- One row per thing that plans and runs of a campaign decided or did about one lead, oldest first.
select i.planned_at as at_time, i.step, 'plan ' || left(i.plan_id, 6) || ': ' || i.action as what,
    concat_ws(' · ', i.reason, i.recipient) as detail
from plan_items i
join plans p on p.plan_id = i.plan_id
left join record_aliases a on a.entity = 'lead' and a.id = i.lead_id
where p.campaign = $campaign and coalesce(a.root_id, i.lead_id) = $lead
union all
select m."at" as at_time, m.step, m.state as what, concat_ws(' · ', m.recipient, nullif(m.detail, '')) as detail
from messages m
where m.campaign = $campaign and m.lead_id = $lead
order by 1, 2
