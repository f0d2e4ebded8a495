-- One row is an order.
select person_no + 1 as order_id, person_no + 1 as lead_id, p.first_contact_at + to_days(t.accept_days + 4 + t.quote_days + t.decide_days) as "at",
    'invoiced' as status, 'USD' as currency, t.list_value as amount
from truth t join person p using (person_no) where t.wins
