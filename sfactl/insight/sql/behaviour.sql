-- One row is a lead and something it did before the outcome: a kind of touch, and the kind with its content.
with done as (
    select
        f.lead_id,
        f.hit,
        t.kind,
        t.content
    from touchpoints t
    join fact f on f.lead_id = t.lead_id
    where
        -- What we do ourselves follows from how a lead does.
        coalesce(t.direction, 'inbound') <> 'outbound'
        and t.kind not in ('bot_open', 'bot_click')
        and t."at" <= cast($valid_at as timestamp)
        and (f.outcome_at is null or t."at" < f.outcome_at)
    group by f.lead_id, f.hit, t.kind, t.content
)

select distinct lead_id, hit, 'did' as field, kind as level from done
union all
select lead_id, hit, 'did', concat(kind, ' ', content) from done where content is not null
