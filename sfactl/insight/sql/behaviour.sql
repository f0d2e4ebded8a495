-- One row is a lead and something it did before the outcome: a kind of touch, and the kind with its content.
select distinct
    f.lead_id,
    f.hit,
    'did' as field,
    d.level
from touchpoints t
join fact f on f.lead_id = t.lead_id
cross join lateral (
    select t.kind as level
    union all
    select concat(t.kind, ' ', t.content) where t.content is not null
) d
where
    -- What we do ourselves follows from how a lead does.
    coalesce(t.direction, 'inbound') <> 'outbound'
    and t.kind is not null
    and t."at" <= cast($valid_at as timestamp)
    and (f.outcome_at is null or t."at" < f.outcome_at)
