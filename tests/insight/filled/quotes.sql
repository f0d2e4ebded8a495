-- One row is a quote, some of them drafts.
select person_no + 1 as quote_id, person_no + 1 as lead_id, case when t.wins then 'accepted' when person_no % 10 = 9 then 'draft' else 'sent' end as state,
    p.first_contact_at + to_days(t.accept_days + 4 + t.quote_days) as created_at
from truth t join person p using (person_no) where t.quotes
