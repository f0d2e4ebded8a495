-- One row per address, in lower case, that is to be left in peace by $campaign, and why.
select lower(value) as address, min(reason) as reason
from suppressions
where scope in ('all', $campaign) and reason <> 'unsubscribe'
group by lower(value)
