-- One row is a score, once before and once after the decision; the later one must not count.
select 'f' || person_no as event_id, p.first_contact_at as "at", person_no + 1 as lead_id, 'fit' as score, round(100 * t.fit) as points
from person p join truth t using (person_no)
union all
select 'i' || person_no, p.first_contact_at + to_days(1), person_no + 1, 'intent', greatest(0, round(30 + 20 * t.intent))
from person p join truth t using (person_no)
union all
select 'x' || person_no, p.first_contact_at + to_days(t.accept_days + 9), person_no + 1, 'intent', 999
from person p join truth t using (person_no) where t.converts
