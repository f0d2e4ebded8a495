-- One row per step and kind of what came back for $campaign: how many people, and how many times.
select coalesce(step, '') as step, kind, count(distinct lead_id) as people, count(*) as times
from touchpoints
where campaign = $campaign and direction = 'inbound'
group by 1, 2
order by 1, 3 desc, 2
