-- One row is a fifth of the leads by one score, as it stood before a person took the lead up, and what came of them.
with before_decision as (
    -- A score keeps rising while the deal goes on; only what was known before a person decided is a forecast.
    select
        j.lead_id,
        e.score,
        e.points,
        case when j.reached >= $stage_no then 1 else 0 end as hit
    from journey j
    join score_events e on e.lead_id = j.lead_id
    where
        coalesce(j.sql_on, j.opportunity_on) is null
        or cast(e."at" as date) <= coalesce(j.sql_on, j.opportunity_on)
    qualify row_number() over (partition by j.lead_id, e.score order by e."at" desc, e.event_id desc) = 1
),

ranked as (
    select
        score,
        points,
        hit,
        rank() over (partition by score order by points) as lowest,
        count(*) over (partition by score, points) as tied,
        percent_rank() over (partition by score order by points) as place
    from before_decision
)

select
    score,
    cast(least(4, floor(place * 5)) as bigint) as fifth,
    min(points) as low,
    max(points) as high,
    cast(count(*) as bigint) as leads,
    cast(sum(hit) as bigint) as hits,
    sum(hit * (lowest + (tied - 1) / 2.0)) as rank_sum
from ranked
group by score, cast(least(4, floor(place * 5)) as bigint)
order by score, fifth
