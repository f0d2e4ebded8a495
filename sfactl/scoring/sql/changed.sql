-- One row: a lead whose fresh score differs from the stored one, or is not stored yet.
select f.lead_id, f.score, f.points, f.grade, f.strategy, s.points as previous, s.lead_id is null as is_new
from fresh as f
left join scores as s on s.lead_id = f.lead_id and s.score = f.score
where s.lead_id is null or f.points <> s.points or f.grade is distinct from s.grade
   or f.strategy is distinct from s.strategy
