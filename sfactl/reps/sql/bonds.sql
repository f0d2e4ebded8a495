-- One row is a lead of candidates with the rep it is tied to: the strongest kind of tie, then the newest.
-- Per key only the newest owner counts, so that a company with many leads does not multiply the rows.
with sellers as (select rep_id from reps where coalesce(active, true)),
wanted as (
    select l.lead_id, l.account_id, l.company_key, nullif(l.tax_id, '') as tax_id, lower(l.email) as email, l.phone,
        lower(trim(l.referrer)) as referrer
    from leads as l
    join candidates as c on c.lead_id = l.lead_id
),
owned as (
    select l.lead_id, l.owner, nullif(l.company_key, '') as company_key, nullif(l.tax_id, '') as tax_id,
        lower(l.email) as email, l.phone, coalesce(l.created_at, timestamp '1970-01-01') as since
    from leads as l
    where l.owner in (select rep_id from sellers)
),
known as (
    select 'account' as bond, 'id:' || a.account_id as key, a.owner, coalesce(a.updated_at, a.created_at) as since
    from accounts as a
    union all
    select 'account', 'tax:' || a.tax_id, a.owner, coalesce(a.updated_at, a.created_at) from accounts as a
    union all
    select 'account', 'company:' || a.company_key, a.owner, coalesce(a.updated_at, a.created_at) from accounts as a
    union all
    select 'person', 'email:' || lower(c.email), c.owner, coalesce(c.updated_at, c.created_at) from contacts as c
    union all
    select 'person', 'phone:' || c.phone, c.owner, coalesce(c.updated_at, c.created_at) from contacts as c
    union all
    select 'person', 'email:' || o.email, o.owner, o.since from owned as o
    union all
    select 'person', 'phone:' || o.phone, o.owner, o.since from owned as o
    union all
    select 'company', 'tax:' || o.tax_id, o.owner, o.since from owned as o
    union all
    select 'company', 'company:' || o.company_key, o.owner, o.since from owned as o
    union all
    select 'referrer', 'email:' || o.email, o.owner, o.since from owned as o
    union all
    select 'referrer', 'lead:' || o.lead_id, o.owner, o.since from owned as o
),
newest as (
    select bond, key, owner, since
    from known
    where key is not null and owner in (select rep_id from sellers)
    qualify row_number() over (partition by bond, key order by since desc nulls last, owner) = 1
),
asked as (
    select lead_id, 'account' as bond, 'id:' || account_id as key from wanted
    union all
    select lead_id, 'account', 'tax:' || tax_id from wanted
    union all
    select lead_id, 'account', 'company:' || nullif(company_key, '') from wanted
    union all
    select lead_id, 'person', 'email:' || email from wanted
    union all
    select lead_id, 'person', 'phone:' || phone from wanted
    union all
    select lead_id, 'company', 'tax:' || tax_id from wanted
    union all
    select lead_id, 'company', 'company:' || nullif(company_key, '') from wanted
    union all
    select lead_id, 'referrer', 'email:' || referrer from wanted
    union all
    select lead_id, 'referrer', case when referrer like 'lead:%' then referrer else 'lead:' || referrer end from wanted
)
select a.lead_id, a.bond, n.owner
from asked as a
join newest as n on n.bond = a.bond and n.key = a.key
where list_contains($bonds, a.bond)
qualify row_number() over (
    partition by a.lead_id order by list_position($bonds, a.bond), n.since desc nulls last, n.owner
) = 1
