-- One row: a lead that was won or lost, and when. Conditions or a field decide, else the deal the lead became; a time
-- that is not given is that of the deal's close, else of the lead's last move. One who is both won and lost was won.
with said as (
  {said}
),
deals as (
  select lead_id,
         max(case when category = 'won' then 1 else 0 end) as won,
         max(case when category = 'lost' then 1 else 0 end) as lost,
         max(case when coalesce(category, 'open') not in ('won', 'lost') then 1 else 0 end) as still_open,
         min(case when category = 'won' then coalesce(closed_at, cast(close_date as timestamp)) end) as won_at,
         max(case when category = 'lost' then coalesce(closed_at, cast(close_date as timestamp)) end) as lost_at
  from opportunities
  where lead_id is not null
  group by lead_id
),
moves as (
  select entity_id as lead_id,
         max(case when to_stage = 'converted' then stage_events."at" end) as converted_at,
         max(case when to_stage = 'disqualified' then stage_events."at" end) as disqualified_at,
         max(stage_events."at") as moved_at
  from stage_events
  where entity = 'lead'
  group by entity_id
),
decided as (
  select l.lead_id,
         case when {by_deal} then coalesce(d.won, 0) = 1 else coalesce(s._won, false) end as won,
         case when {by_deal}
              then (coalesce(d.lost, 0) = 1 and d.still_open = 0) or (d.lead_id is null and l.status = 'disqualified')
              else coalesce(s._lost, false) end as lost,
         s._at, d.won_at, d.lost_at, coalesce(m.converted_at, l.converted_at) as converted_at, m.disqualified_at, m.moved_at
  from leads as l
  join said as s on s.lead_id = l.lead_id
  left join deals as d on d.lead_id = l.lead_id
  left join moves as m on m.lead_id = l.lead_id
)
select lead_id, won,
       coalesce(_at, case when won then coalesce(won_at, lost_at, converted_at, moved_at)
                          else coalesce(lost_at, won_at, disqualified_at, moved_at) end) as "at"
from decided
where won or lost
