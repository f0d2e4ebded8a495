-- One row per lead and address that another lead has too. Reads all_leads.
select lead_id, address
from (
    select lead_id, lower(trim(email)) as address from all_leads where email is not null
    union
    select lead_id, phone as address from all_leads where phone is not null
)
qualify count(*) over (partition by address) > 1
