-- One row per act within five seconds of the receiver taking the message: it was not in anybody's mailbox yet. What was
-- settled much later than it was sent, by hand, tells nothing.
select a.id
from acts a
join messages m on m.message_key = a.message_key
where m.state = 'accepted' and m."at" between a."at" - interval 5 second and a."at" + interval 10 minute
