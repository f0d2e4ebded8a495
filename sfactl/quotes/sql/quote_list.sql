-- One row is a quote as it stands today, newest first.
select 'Q-' || q.quote_id as quote,
       case when q.state in ('draft', 'sent') and q.valid_until < $today then 'expired' else q.state end as state,
       q.total, q.currency, q.opportunity_id, a.name as account, q.owner, q.price_book, q.priced_on, q.valid_until,
       q.revision
from quotes q
left join accounts a on a.account_id = q.account_id
where ($state is null
       or case when q.state in ('draft', 'sent') and q.valid_until < $today then 'expired' else q.state end = $state)
  and ($opportunity_id is null or q.opportunity_id = $opportunity_id)
order by q.quote_id desc
