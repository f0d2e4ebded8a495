-- One row per row of the file (read_rows): its status in our words, the lead it is about, and why it is refused (_reason).
-- Reads status_word besides datasets; $space says whose numbers and customer ids these are.
with people as (
    select lead_id as number, cast(null as varchar) as id, cast(null as varchar) as email, lead_id from leads
    union all
    select null, external_id, null, lead_id from leads
    where external_id is not null and (id_namespace = $space or id_namespace is null)
    union all
    select null, null, lower(trim(email)), lead_id from leads where email is not null
    union all
    select null, null, lower(trim(email)), lead_id from contacts where email is not null and lead_id is not null
),
by_number as (select number, min(lead_id) as lead_id from people where number is not null group by 1),
by_id as (select id, min(lead_id) as lead_id from people where id is not null group by 1),
by_email as (select email, min(lead_id) as lead_id from people where email is not null group by 1)
select r.* exclude (lead_id, status, owner, _reason), w.status, w.state, p.rep_id as owner,
    coalesce(r.actor, r.owner) as handler, nullif(trim(r.owner), '') as said_owner,
    coalesce(n.lead_id, i.lead_id, e.lead_id) as lead_id,
    coalesce(r._reason,
        case when r.case_key is null then 'no number of the case'
            when r."at" is null then 'no time'
            when r."at" > $now then 'in the future'
            when r.resolved_at < r."at" or r.closed_at < r."at" then 'settled before it was opened'
            when r.status is not null and w.status is null then 'status ' || r.status || ' is none that is known'
            when r.lead_id is not null and n.lead_id is null then 'no such lead' end) as _reason
from read_rows r
left join status_word w on w.word = lower(r.status)
left join record_aliases a on a.entity = 'lead' and a.id = r.lead_id
left join by_number n on n.number = coalesce(a.root_id, r.lead_id)
left join by_id i on i.id = r.external_id
left join by_email e on e.email = lower(trim(r.email))
left join reps p on lower(p.rep_id) = lower(trim(r.owner)) or lower(p.name) = lower(trim(r.owner))
    or lower(p.email) = lower(trim(r.owner))
qualify row_number() over (partition by r._row order by p.rep_id) = 1
