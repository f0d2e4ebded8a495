-- One row is a payment for an invoice.
select 'A' || person_no as allocation_id, 'R' || person_no as receivable_id, 'USD' as currency,
    case when t.pays = 'part' then t.list_value / 2 else t.list_value end as amount,
    (p.first_contact_at + to_days(t.accept_days + 4 + t.quote_days + t.decide_days + 30 + t.pay_days_after_due))::date as allocated_on
from truth t join person p using (person_no) where t.wins and t.pays <> 'never'
