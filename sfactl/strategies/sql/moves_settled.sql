-- One row per lead whose touch or approval is over, as its enrolment is afterwards. Reads walked, of nothing but these.
select lead_id, rotation, version, case when to_step = 'end' then step else to_step end as step, since,
    case when to_step = 'end' then 'finished' else 'active' end as state,
    case when to_step = 'end' then 'finished' end as reason, to_step = 'end' as is_out, false as is_new
from walked
