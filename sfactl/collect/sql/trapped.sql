-- One row per act on a message within a minute of somebody following a link in it that no person sees.
select distinct a.id
from acts a
join acts b on b.message_key = a.message_key and b."at" between a."at" - interval 60 second and a."at" + interval 60 second
where b.deed = 'click' and b.target = ''
