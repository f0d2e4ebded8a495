-- One row is a customer whose stored place on the journey is no longer what the data tell.
select
    $journey as journey,
    w.lead_id,
    n.name as node,
    w.reached_at as since,
    case when s.node is distinct from n.name then s.node else s.previous end as previous,
    case when s.node is distinct from n.name then cast($now as timestamp) else s.changed_at end as changed_at,
    s.node is distinct from n.name as moved
from way w
inner join node n on n.number = w.number
left join journeys s on s.journey = $journey and s.lead_id = w.lead_id
where w.here and (s.lead_id is null or s.node is distinct from n.name or s.since is distinct from w.reached_at)
