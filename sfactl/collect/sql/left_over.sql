-- One row per act that is new and yet no event: young ones are judged later, the others are of leads that are not there.
-- What is done with a test message, which is nobody's (0), is not told.
select id, deed in ('open', 'click') and "at" > $settled as young
from acts
where deed <> 'look' and lead_id <> 0 and id not in (select event_id from known) and id not in (select event_id from collected)
