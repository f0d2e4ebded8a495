-- One row is a lead that was held back.
select timestamp '2026-03-01' as planned_at, 'P1' as plan_id, person_no + 1 as lead_id, 'invite' as step, 'hold' as action
from person where person_no % 20 = 7
