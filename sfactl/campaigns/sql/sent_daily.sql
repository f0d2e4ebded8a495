-- One row per day of the table days (day_no, begins, ends) on which $sender sent anything that may have arrived: how much.
select d.day_no, count(*) as messages
from messages m
join days d on m."at" >= d.begins and m."at" < d.ends
where m.sender = $sender and m.state in ('accepted', 'unknown')
group by d.day_no
order by d.day_no
