-- One row per case, those opened last on top; age_h is how long it was, or is, unsettled.
select c.case_id, c.opened_at, c.status, c.priority, c.category, c.channel, c.subject, c.lead_id, l.full_name as lead,
    l.company, c.owner, c.reopened,
    round(date_diff('second', c.opened_at, least(coalesce(c.resolved_at, cast($now as timestamp)), cast($now as timestamp)))
        / 3600.0, 1) as age_h,
    c.updated_at, c.source, c.source_key
from cases c
left join leads l on l.lead_id = c.lead_id
where ($status = '' or c.status = $status) and ($state = 'all' or c.state = $state
        or ($state = 'unsettled' and c.state in ('open', 'waiting')))
    and ($owner = '' or c.owner = $owner) and (not $unowned or c.owner is null)
    and ($lead is null or c.lead_id = $lead) and ($category = '' or c.category = $category)
    and ($priority = '' or c.priority = $priority) and ($channel = '' or c.channel = $channel)
order by c.opened_at desc, c.case_id desc
