-- One row: how many new moves the rules (allowed_move) would not allow, and the first of them. Reads moment and file_cases.
select count(*) as moves,
    arg_min(concat('case ', f.case_key, ': ', m.status_before, ' → ', m.status), (m."at", m.case_id)) as example
from moment m
join file_cases f on f.case_id = m.case_id
left join allowed_move a on a.before = m.status_before and a.after = m.status
where not m.is_stored and m.status_before is not null and a.before is null
