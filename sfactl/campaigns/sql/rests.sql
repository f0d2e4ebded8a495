-- One row per person whom one of the table resting's campaigns wrote to so lately that they are still left in peace at $at, or
-- since then.
select m.lead_id, max(m."at") + to_seconds($rest_s) as rests_until
from messages m
join resting r on r.campaign = m.campaign
where m.lead_id is not null and m.state in ('accepted', 'handed') and m."at" + to_seconds($rest_s) > $at
group by m.lead_id
