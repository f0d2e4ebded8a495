-- One row: what became of the messages that $campaign sent through $sender since $since, counting those in the table held,
-- which the ledger has and messages not yet. A notice that names no campaign counts where its lead was written to.
with sent as (
    select lead_id, state from messages where campaign = $campaign and sender = $sender and "at" > $since
    union all
    select lead_id, state from held
),
reached as (select distinct lead_id from sent),
back as (
    select distinct t.kind, coalesce(t.message_key, cast(t.lead_id as varchar)) as whose
    from touchpoints t
    left join reached r on r.lead_id = t.lead_id
    where t."at" > $since and (t.kind = 'complaint' or (t.kind = 'bounce' and coalesce(t.value, 1) >= 1))
        and (t.campaign = $campaign or (t.campaign is null and r.lead_id is not null))
)
select (select count(*) from sent where state = 'accepted') as accepted,
    (select count(*) from sent where state = 'refused') as refused,
    (select count(*) from back where kind = 'bounce') as bounced,
    (select count(*) from back where kind = 'complaint') as complained
