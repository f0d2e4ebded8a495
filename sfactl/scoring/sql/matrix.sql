-- One row: a pair of grades of the scores $down and $across, and how many leads have both scores.
select d.grade as down, a.grade as across, count(*) as leads
from scores as d
join scores as a on a.lead_id = d.lead_id and a.score = $across
where d.score = $down
group by d.grade, a.grade
