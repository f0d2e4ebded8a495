-- One row is an open lead with an owner: since when it is held, until when it is protected, and the last follow-up.
-- What the pool says counts while it names the same holder; else the newest assignment does, else when it came.
with mine as (
    select l.lead_id, l.owner as holder, l.created_at
    from leads as l
    where l.owner is not null and coalesce(l.status, 'new') in ('new', 'mql', 'sql')
),
given as (
    select a.entity_id as lead_id, a.rep_id, a.at as given_at
    from assignments as a
    where a.entity = 'lead' and a.at <= $now and a.entity_id in (select lead_id from mine)
    qualify row_number() over (partition by a.entity_id order by a.at desc, a.event_id desc) = 1
),
begun as (
    select m.lead_id, m.holder,
        p.lead_id is not null as known,
        coalesce(p.since, g.given_at, m.created_at, $now) as since,
        case
            when p.lead_id is not null then p.protected_until
            when $protected then coalesce(g.given_at, m.created_at, $now) + to_months($p_months) + to_seconds($p_seconds)
        end as protected_until
    from mine as m
    left join lead_pool as p on p.lead_id = m.lead_id and p.state = 'held' and p.holder = m.holder
    left join given as g on g.lead_id = m.lead_id and g.rep_id = m.holder
),
followed as (
    select b.lead_id, max(t.at) as followed_at
    from begun as b
    join touchpoints as t on t.lead_id = b.lead_id
    where t.direction = 'outbound' and t.campaign is null and t.at > b.since and t.at <= $now
    group by b.lead_id
)
select b.lead_id, b.holder, b.known, b.since, b.protected_until, coalesce(f.followed_at, b.since) as active_at
from begun as b
left join followed as f on f.lead_id = b.lead_id
