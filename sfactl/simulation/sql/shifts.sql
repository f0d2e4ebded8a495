-- One row per figure: leads that get more of it by the edited wording (b) than by the real one (a), those that get less,
-- and the first of each. Reads people_real and people_edited.
with pairs as (
    select coalesce(a.lead_id, b.lead_id) as lead_id, unnest(['entries', 'messages', 'tasks']) as what,
        unnest([coalesce(a.entries, 0), coalesce(a.messages, 0), coalesce(a.tasks, 0)]) as real,
        unnest([coalesce(b.entries, 0), coalesce(b.messages, 0), coalesce(b.tasks, 0)]) as edited
    from people_real a
    full join people_edited b on b.lead_id = a.lead_id
)
select what, count(*) filter (where edited > real) as more, count(*) filter (where edited < real) as less,
    min(lead_id) filter (where edited > real) as example_more, min(lead_id) filter (where edited < real) as example_less
from pairs
group by what
order by what
