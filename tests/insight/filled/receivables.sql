-- One row is an invoice.
select 'R' || person_no as receivable_id, person_no + 1 as order_id, 'USD' as currency, t.list_value as amount,
    (p.first_contact_at + to_days(t.accept_days + 4 + t.quote_days + t.decide_days))::date as invoiced_on,
    (p.first_contact_at + to_days(t.accept_days + 4 + t.quote_days + t.decide_days + 30))::date as due_on,
    case t.pays when 'never' then 'open' when 'part' then 'part' else 'settled' end as state
from truth t join person p using (person_no) where t.wins
