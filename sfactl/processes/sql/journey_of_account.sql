-- One row is a lead of the account, and what it is called.
select
    lead_id,
    concat_ws(' · ', full_name, company) as name
from leads
where account_id = $id
order by lead_id
