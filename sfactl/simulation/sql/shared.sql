-- One row per lead and address that another lead has too.
with addresses as (
    select lead_id, lower(trim(email)) as address from leads where email is not null
    union
    select lead_id, phone as address from leads where phone is not null
)
select lead_id, address
from addresses
qualify count(*) over (partition by address) > 1
