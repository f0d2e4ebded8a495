-- One row per lead whose last word was that no marketing is wanted. Reads consents: touchpoints, or those that count here.
select lead_id
from consents
where kind in ('unsubscribe', 'subscribe', 'consent') and lead_id is not null
group by lead_id
having max(case when kind = 'unsubscribe' then "at" end)
    >= coalesce(max(case when kind <> 'unsubscribe' then "at" end), timestamp '0001-01-01 00:00:00')
