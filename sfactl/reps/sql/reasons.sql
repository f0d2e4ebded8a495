-- One row is a lead with its owner-to-be and a reason that can be checked later: the turn, and how full the rep is then.
select
    g.lead_id,
    g.rep_id,
    g.rule,
    case when $label <> '' then $label else g.method end as strategy,
    case
        when g.method = 'sticky' then
            case b.bond when 'account' then 'owns its account' when 'person' then 'knows the person'
                when 'company' then 'has the same company' else 'has who referred it' end
        when g.method = 'balanced' then 'fewest open leads'
        else 'turn ' || g.turn
    end
        || case when s.weight = 1 or g.method in ('sticky', 'round-robin') then '' else ' at weight ' || s.weight end
        || ', open leads ' || (s.open + row_number() over (partition by g.rep_id order by g.lead_id))
        || coalesce(' of ' || s.capacity, '') as reason
from seats as g
join stands as s on s.rep_id = g.rep_id
left join bonds as b on b.lead_id = g.lead_id
order by g.lead_id
