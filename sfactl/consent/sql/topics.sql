-- One row per topic of the table asked: leads that said yes, have yet to confirm it, or said no. Reads counted.
select a.topic, a.title, a.basis, a.double_opt_in, coalesce(c.yes, 0) as yes, coalesce(c.unconfirmed, 0) as unconfirmed,
    coalesce(c.no, 0) as no
from asked a
left join counted c on c.topic = a.topic
order by a.place
