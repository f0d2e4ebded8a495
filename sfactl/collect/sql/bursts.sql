-- One row per act that was one of three or more links of its message within five seconds: a program went through them.
select a.id
from acts a
join acts b on b.message_key = a.message_key and b."at" between a."at" - interval 5 second and a."at" + interval 5 second
where a.deed in ('click', 'look') and b.deed in ('click', 'look')
group by a.id
having count(distinct b.deed || ':' || b.target) >= 3
