-- One row per mail in answers that is not known yet: the event that it becomes, with the message of ours that it answers
-- (by the ids in answer_ids, the nearest first, or by a signed link) and the lead: that of the message, else the one with the
-- writer's address, in its own row, as a contact, or as an address it had before. is_ours: a colleague wrote it, or we did.
with mine as (
    select left(sha256(message_key), 40) as local_part, provider_id, message_key, campaign, step, lead_id, recipient, "at"
    from messages
    where state <> 'refused'
),
pointed as (
    select i.event_id, i.place, i.domain, m.message_key, m.campaign, m.step, m.lead_id, m.recipient, m."at"
    from answer_ids i join mine m on m.local_part = i.local_part
    union all
    select i.event_id, i.place, i.domain, m.message_key, m.campaign, m.step, m.lead_id, m.recipient, m."at"
    from answer_ids i join mine m on m.provider_id = i.local_part
    union all
    select i.event_id, i.place, i.domain, m.message_key, m.campaign, m.step, m.lead_id, m.recipient, m."at"
    from answer_ids i join mine m on m.provider_id = i.local_part || '@' || i.domain
),
named as (
    select *
    from pointed
    qualify row_number() over (partition by event_id order by place, "at" desc, message_key) = 1
),
known_as as (
    select lower(trim(email)) as address, lead_id, 1 as rank from leads where email is not null
    union all
    select lower(trim(email)) as address, lead_id, 2 as rank from contacts where email is not null and lead_id is not null
    union all
    select lower(value) as address, lead_id, 3 as rank from identities where kind = 'email'
),
addressed as (
    select k.address, k.lead_id
    from known_as k
    join (select distinct sender from answers) s on s.sender = k.address
    qualify row_number() over (partition by k.address order by k.rank, k.lead_id) = 1
),
judged as (
    select a.*, n.message_key as named_key, n.place, n."at" as sent_at, n.campaign as named_campaign, n.step as named_step,
        coalesce(a.link_lead, n.lead_id, d.lead_id) as found_lead,
        o.message_key is not null or r.email is not null
            -- Whoever writes from where we send from, about mail to somewhere else, is a colleague.
            or coalesce(n.domain = split_part(a.sender, '@', 2) and n.domain <> split_part(lower(n.recipient), '@', 2), false)
            as is_ours
    from answers a
    left join named n on n.event_id = a.event_id
    left join addressed d on d.address = a.sender
    left join mine o on a.own_id <> '' and o.local_part = a.own_id
    left join (select distinct lower(email) as email from reps where email is not null) r on r.email = a.sender
    left join touchpoints k on k.event_id = a.event_id
    where k.event_id is null
)
select j.event_id, greatest(j."at", coalesce(j.sent_at, j."at")) as "at",
    -- Place 0 is the token of a way out.
    case when j.link_key is not null or j.place = 0 then 'unsubscribe' else j.kind end as kind,
    l.lead_id, l.contact_id, l.account_id, 'inbound' as direction, 'email' as channel,
    coalesce(j.link_campaign, j.named_campaign) as campaign, coalesce(j.link_step, j.named_step) as step,
    j.subject as content, j.text, coalesce(j.link_key, j.named_key) as message_key, j.topic, j.sender, j.is_ours
from judged j
left join record_aliases x on x.entity = 'lead' and x.id = j.found_lead
left join leads l on l.lead_id = coalesce(x.root_id, j.found_lead)
-- A token that was none of ours leaves a mail of a kind that nobody asked for.
where j.is_asked_for or j.link_key is not null or j.place = 0
order by 2, 1
