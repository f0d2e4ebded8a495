-- One row per act within five seconds of the receiver taking the message: it was not in anybody's mailbox yet. What was
-- settled much later than it was sent, by hand, tells nothing. Reads acts, and given_sent: messages not folded yet.
select a.id
from acts a
join (
    select message_key, "at" from messages where state = 'accepted'
    union all
    select message_key, "at" from given_sent
) m on m.message_key = a.message_key
where m."at" between a."at" - interval 5 second and a."at" + interval 10 minute
