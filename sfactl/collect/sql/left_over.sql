-- One row per act that is new and yet no event: young ones are judged later, the others are of leads that are not there.
select id, deed in ('open', 'click') and "at" > $settled as young
from acts
where deed <> 'look' and id not in (select event_id from known) and id not in (select event_id from collected)
