-- One row per recorded plan that let leads in, with the version they took and its text.
select distinct i.plan_id, i.version, v.text
from plan_items i
join plans p on p.plan_id = i.plan_id and p.campaign = $name
join strategy_versions v on v.strategy = $name and v.version = i.version
where i.step = 'entry'
