-- One row per member of the audience: when they are to be written to next, and the number of that round: the second of the
-- message before. Who never got one is due at once. Reads asked_rounds.
select a.lead_id, coalesce(cast(epoch(l."at") as bigint), 0) as rotation,
    coalesce(l."at" + to_months($months) + to_seconds($seconds), cast($at as timestamp)) as due_at,
    cast(null as timestamp) as ends_at
from audience a
left join (select lead_id, max("at") as "at" from asked_rounds group by lead_id) l on l.lead_id = a.lead_id
