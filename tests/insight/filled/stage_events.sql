-- One row is a lead that became mql or sql.
select
    'm' || person_no as event_id, p.first_contact_at + to_days(2) as "at", 'lead' as entity, person_no + 1 as entity_id, 'new' as from_stage, 'mql' as to_stage
from person p join truth t using (person_no) where t.accepts or t.intent > -0.3
union all
select 's' || person_no, p.first_contact_at + to_days(t.accept_days), 'lead', person_no + 1, 'mql', 'sql'
from person p join truth t using (person_no) where t.accepts
