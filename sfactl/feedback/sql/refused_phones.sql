-- One row per phone number that is to be left in peace from now on: its service says that it does not exist. Reads reported.
select 'phone' as kind, r.recipient as value, 'all' as scope, 'bounce' as reason, cast($now as timestamp) as "at"
from reported r
left join suppressions s on s.kind = 'phone' and s.value = r.recipient and s.scope = 'all'
where r.kind = 'bounce' and r.value >= 1 and r.recipient not like '%@%' and s.value is null
group by r.recipient
