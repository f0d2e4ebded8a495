-- One row is something a recipient of the campaign did.
select 'T' || person_no as event_id, timestamp '2026-03-02' as "at", case when warmth = 2 then 'email_click' else 'email_open' end as kind,
    person_no + 1 as lead_id, 'spring-webinar' as campaign
from person where person_no % 4 = 1 and warmth > 0
