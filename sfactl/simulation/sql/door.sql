-- One row per lead that may enter and did not, because as many as may had entered before it. Reads may_enter, walk_flags
-- (goal and exit come first in flags) and walked.
select m.lead_id, m.lead_id as place
from may_enter m
join walk_flags f on f.lead_id = m.lead_id and f.version_no = 1
left join walked w on w.lead_id = m.lead_id and w.step = 'entry'
where not f.flags[1] and not f.flags[2] and w.lead_id is null
