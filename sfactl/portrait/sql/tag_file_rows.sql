-- One row is a tag of a file with its bearer (null: nobody we know, or more than one); of doubles the last row counts.
with addresses as (
    select email, min(lead_id) as lead_id, count(*) as leads
    from leads
    where email in (select email from given)
    group by email
),
met as (
    select
        g.*,
        case
            when g.email is not null then case when a.leads = 1 then a.lead_id end
            when g.kind = 'lead' then l.lead_id
            when g.kind = 'contact' then c.contact_id
            else n.account_id
        end as entity_id,
        coalesce(a.leads, 0) as leads
    from given as g
    left join addresses as a on a.email = g.email
    left join leads as l on g.kind = 'lead' and l.lead_id = g.number
    left join contacts as c on g.kind = 'contact' and c.contact_id = g.number
    left join accounts as n on g.kind = 'account' and n.account_id = g.number
)
select
    row,
    kind as entity,
    entity_id,
    tag,
    $source as source,
    author,
    value,
    "at",
    expires_at,
    cast(null as double) as confidence,
    note,
    case
        when entity_id is not null then null
        when leads > 1 then email || ' is the e-mail of ' || leads || ' leads'
        else 'nobody we know: ' || coalesce(email, kind || ':' || number)
    end as reason
from met
