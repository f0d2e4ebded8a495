-- One row: a stored score of a lead that is no more.
select s.lead_id, s.score
from scores as s
where s.score in (select distinct score from fresh)
  and not exists (select 1 from leads as l where l.lead_id = s.lead_id)
