-- One row per member of the audience to whom something happened that they were not written to about yet: when it is time,
-- until when it stays so, and the number of the round: the second in which it happened. Of several the newest that is due
-- counts, else the next; what happened before something that was asked about is settled with it. Reads happened and
-- asked_rounds.
with open_rounds as (
    select h.lead_id, cast(epoch(h."at") as bigint) as rotation, h."at" + to_seconds($wait_s) as due_at,
        h."at" + to_seconds($wait_s + $within_s) as ends_at
    from happened h
    join audience a on a.lead_id = h.lead_id
    where h."at" + to_seconds($wait_s + $within_s) > $at
)
select o.lead_id, o.rotation, o.due_at, o.ends_at
from open_rounds o
left join (select lead_id, max(rotation) as rotation from asked_rounds group by lead_id) k on k.lead_id = o.lead_id
where k.lead_id is null or k.rotation < o.rotation
qualify row_number() over (
    partition by o.lead_id order by o.due_at <= $at desc, abs(epoch(o.due_at) - epoch(cast($at as timestamp)))
) = 1
