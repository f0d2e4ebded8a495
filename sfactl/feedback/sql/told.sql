-- One row per kind of answer, campaign and step: how many mails of people we know came in as it. Reads replied.
select kind, coalesce(campaign, '') as campaign, coalesce(step, '') as step, count(*) as mails
from replied
where lead_id is not null and not is_ours
group by 1, 2, 3
order by 1, 4 desc, 2, 3
