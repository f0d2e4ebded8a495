-- One row: the commit that the next run after those replayed began from; none where there was no later one.
select data_seq
from plans
where campaign = $name and kind = $kind and state in ('applied', 'partly') and planned_at > $last
order by planned_at
limit 1
