-- One row is an open lead with an owner: since when, by which assignment, and when the owner first responded.
-- A response is an outbound touchpoint by the owner, under the rep's short name, name or e-mail, and not by a campaign.
with mine as (
    select l.lead_id, coalesce(l.full_name, l.company, l.email) as name, coalesce(l.status, 'new') as status, l.owner,
        l.created_at
    from leads as l
    where l.owner is not null and coalesce(l.status, 'new') in ('new', 'mql', 'sql')
),
given as (
    select a.entity_id as lead_id, a.at as given_at, a.rep_id, a.strategy
    from assignments as a
    where a.entity = 'lead' and a.at <= $now and a.entity_id in (select lead_id from mine)
    qualify row_number() over (partition by a.entity_id order by a.at desc, a.event_id desc) = 1
),
begun as (
    select m.*, g.strategy, g.rep_id is not null as assigned, coalesce(g.given_at, m.created_at) as assigned_at
    from mine as m
    left join given as g on g.lead_id = m.lead_id and g.rep_id = m.owner
),
answered as (
    select b.lead_id, min(t.at) as responded_at
    from begun as b
    join touchpoints as t on t.lead_id = b.lead_id
    left join reps as r on r.rep_id = b.owner
    where t.direction = 'outbound' and t.campaign is null and t.at >= b.assigned_at and t.at <= $now
        and lower(t.actor) in (lower(b.owner), lower(r.name), lower(r.email))
        and (len($kinds) = 0 or list_contains($kinds, t.kind))
    group by b.lead_id
)
select b.lead_id, b.name, b.status, b.owner, b.strategy, b.assigned, b.assigned_at, a.responded_at
from begun as b
left join answered as a on a.lead_id = b.lead_id
where b.assigned_at <= $now
order by b.owner, b.assigned_at, b.lead_id
