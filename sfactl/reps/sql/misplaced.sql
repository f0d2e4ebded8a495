-- One row is an owned lead whose owner no rule would give it now, with the reason.
select o.lead_id, o.owner, coalesce(w.why, 'is no rep') as why
from owned as o
join owned_cases as c on c.lead_id = o.lead_id
left join verdicts as w on w.case_no = c.case_no and w.rep_id = o.owner
where w.rep_id is null or w.why <> ''
