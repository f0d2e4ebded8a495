-- One row per case of the file (good): what its rows say of it, the newest word of each, and its number where it is known.
select g.case_key, min(g."at") as opened_at,
    arg_max(g.subject, g."at") filter (where g.subject is not null) as subject,
    arg_max(g.text, g."at") filter (where g.text is not null) as text,
    arg_max(g.category, g."at") filter (where g.category is not null) as category,
    arg_max(g.priority, g."at") filter (where g.priority is not null) as priority,
    arg_max(g.case_channel, g."at") filter (where g.case_channel is not null) as channel,
    arg_max(g.owner, g."at") filter (where g.owner is not null) as owner,
    arg_max(g.resolution, g."at") filter (where g.resolution is not null) as resolution,
    arg_max(g.lead_id, g."at") filter (where g.lead_id is not null) as lead_id,
    arg_max(g.email, g."at") filter (where g.email is not null) as address,
    min(c.case_id) as known_id, min(c.opened_at) as known_since
from good g
left join cases c on c.source = $space and c.source_key = g.case_key
group by g.case_key
