-- One row per address, in lower case, at which somebody opted out of $campaign. Reads opted_out.
select lower(l.email) as address from leads l join opted_out o on o.lead_id = l.lead_id where l.email is not null
union
select l.phone as address from leads l join opted_out o on o.lead_id = l.lead_id where l.phone is not null
union
select lower(value) as address from suppressions where scope in ('all', $campaign) and reason = 'unsubscribe'
