-- One row per event that a service tells and that is not known yet, with the message it is about (by our key, the service's
-- id, or the Message-ID) and the lead: that of the message, else the one with this address. Reads told, and given_held: the
-- messages of runs that are not folded yet. What a machine does has no direction.
with every as (
    select message_key, provider_id, campaign, step, lead_id, channel, "at" from messages
    union all
    select message_key, provider_id, campaign, step, lead_id, channel, "at" from given_held
),
mine as (
    select message_key as id, * from every
    union all
    select left(sha256(message_key), 40) as id, * from every
    union all
    select trim(provider_id, '<>') as id, * from every where provider_id <> ''
),
named as (
    select event_id, unnest([key, message_id, provider_id]) as id, unnest([1, 2, 3]) as place from told
),
about as (
    select n.event_id, m.message_key, m.campaign, m.step, m.lead_id, m.channel
    from named n
    join mine m on m.id = n.id
    where n.id <> ''
    qualify row_number() over (partition by n.event_id order by n.place, m."at" desc, m.message_key) = 1
),
addressed as (
    select address, min(lead_id) as lead_id
    from (
        select lower(trim(email)) as address, lead_id from leads where email is not null
        union all
        select phone as address, lead_id from leads where phone is not null
    )
    group by 1
)
select
    t.event_id,
    t."at",
    case
        when t.kind = 'delivered' then coalesce(m.channel, t.channel) || '_delivered'
        when t.kind in ('open', 'click') then case when t.machine then 'bot_' else coalesce(m.channel, t.channel) || '_' end || t.kind
        else t.kind
    end as kind,
    l.lead_id,
    l.contact_id,
    l.account_id,
    case when t.kind = 'delivered' then 'outbound' when not t.machine then 'inbound' end as direction,
    coalesce(m.channel, t.channel) as channel,
    m.campaign,
    m.step,
    m.message_key,
    case when t.kind in ('bounce', 'complaint') then t.reason else nullif(t.page, '') end as content,
    t.weight as value,
    nullif(t.said, '') as text,
    nullif(t.page, '') as page,
    t.recipient
from told t
left join about m on m.event_id = t.event_id
left join addressed a on a.address = t.recipient
left join record_aliases x on x.entity = 'lead' and x.id = coalesce(m.lead_id, a.lead_id)
left join leads l on l.lead_id = coalesce(x.root_id, m.lead_id, a.lead_id)
left join touchpoints k on k.event_id = t.event_id
where k.event_id is null
order by t."at", t.event_id
