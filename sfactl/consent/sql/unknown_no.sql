-- One row per address that said no and that nobody we know has: it goes on the list. Reads said.
select s.address as kind, s.value, coalesce(s.topic, 'all') as scope, 'unsubscribe' as reason, max(s."at") as "at"
from said s
left join suppressions x on x.kind = s.address and x.value = s.value and x.scope = coalesce(s.topic, 'all')
where s.lead_id is null and s.address is not null and s.kind = 'unsubscribe' and x.value is null
group by s.address, s.value, coalesce(s.topic, 'all')
