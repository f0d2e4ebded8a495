-- One row per word that was told to a feed, with what the order comes to now.
select f."at", f.order_id, f.lead_id, f.account_id, f.ordered_at, f.currency, f.amount, f.what, f.strategy, f.step,
    f.source, f.campaign
from feeds f
where f.feed = $feed and ($since is null or f."at" >= $since)
order by f."at", f.push_key
