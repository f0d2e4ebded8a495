-- One row per address on the list because its owner had said no, and who now says yes about the same. Reads said.
with now_in as (
    select unnest(['email', 'phone']) as kind, unnest([lower(trim(l.email)), l.phone]) as value,
        coalesce(s.topic, 'all') as scope, s."at"
    from said s join leads l on l.lead_id = s.lead_id
    where s.kind = 'consent' and not s.known
)
select distinct x.kind, x.value, x.scope
from suppressions x
join now_in n on n.kind = x.kind and n.value = lower(x.value) and n.scope = x.scope
where x.reason = 'unsubscribe' and x."at" <= n."at"
