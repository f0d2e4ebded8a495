-- One row is a lead of candidates with its case as text: country, conditions that hold, tie, reps who may not have it.
-- The place in braces is filled from the rules: one digit for each condition.
select
    c.lead_id,
    coalesce(l.country, '') || chr(31) || {held} || chr(31)
        || coalesce(b.bond || ':' || b.owner, '') || chr(31) || coalesce(x.barred, '') as signature
from candidates as c
join leads as l on l.lead_id = c.lead_id
left join flags as f on f.lead_id = c.lead_id
left join bonds as b on b.lead_id = c.lead_id
left join barred as x on x.lead_id = c.lead_id
