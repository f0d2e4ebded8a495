-- One row is an account with how many contacts and deals it has.
select
    a.account_id,
    a.name,
    a.country,
    a.domain,
    a.tax_id,
    a.owner,
    coalesce(c.contacts, 0) as contacts,
    coalesce(o.open_deals, 0) as open_deals,
    coalesce(o.won_deals, 0) as won_deals
from accounts as a
left join (select account_id, count(*) as contacts from contacts group by account_id) as c
    on c.account_id = a.account_id
left join (
    select
        account_id,
        count(*) filter (where category = 'open') as open_deals,
        count(*) filter (where category = 'won') as won_deals
    from opportunities
    group by account_id
) as o on o.account_id = a.account_id
where cast($owner as varchar) is null or a.owner = $owner
order by a.account_id
