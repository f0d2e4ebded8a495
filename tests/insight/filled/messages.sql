-- One row is a message.
select timestamp '2026-03-01' as "at", 'M' || person_no as message_key, 'spring-webinar' as campaign, person_no + 1 as lead_id,
    case when person_no % 97 = 1 then 'refused' when person_no % 301 = 2 then 'unknown' else 'accepted' end as state
from person where person_no % 4 = 1 and person_no % 20 <> 7
