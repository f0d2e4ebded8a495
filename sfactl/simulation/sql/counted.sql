-- One row per step, decision and reason of a run, with the number of leads. is_fresh: they had not been decided about at
-- this step before. is_settled: their message was accepted or refused, and they went on. Reads walked, sim_held (what was
-- planned in reality and not sent) and sim_settled.
select cast($at as timestamp) as "at", w.step, case when h.message_key is null then w.action else 'hold' end as action,
    coalesce(w.reason, '') as reason, w.to_step, w.arrived is null or w.arrived > $then as is_fresh, count(*) as leads,
    false as is_settled
from walked w
left join sim_held h on h.message_key = w.message_key
group by 2, 3, 4, 5, 6
union all
select cast($at as timestamp) as "at", step, 'settled' as action, '' as reason, to_step, true as is_fresh,
    count(*) as leads, true as is_settled
from sim_settled
group by step, to_step
