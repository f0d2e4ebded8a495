-- One row per recipient and step within reach: what the plan made at $at does, and why.
-- Reads besides datasets: candidates, channel_ids, campaign_steps, openings, caps, transactional, effects (what the ledger
-- holds and has not yet folded into messages), wanted (who is to get which step in which rotation, and is_out: its
-- condition does not hold), what people said (spoken), and whom nobody may write to: blacklist, refused_address, exited.
with blacklisted_address as (
    select lower(l.email) as address from leads l join blacklist b on b.lead_id = l.lead_id where l.email is not null
    union
    select l.phone as address from leads l join blacklist b on b.lead_id = l.lead_id where l.phone is not null
),
-- Only what was done at these steps, or at those that they wait for, can matter.
asked as (select distinct step from wanted),
telling as (
    select step from asked
    union
    select s.after_step as step from campaign_steps s join asked a on a.step = s.step where s.after_step is not null
),
known as (
    select m.step, m.lead_id, lower(m.recipient) as recipient, m.state, m."at", m.message_key
    from messages m join telling t on t.step = m.step where m.campaign = $campaign
    union all
    select e.step, e.lead_id, lower(e.recipient) as recipient, e.state, e."at", e.message_key
    from effects e join telling t on t.step = e.step where e.campaign = $campaign and e.state <> 'planned'
    union all
    select k.step, k.lead_id, null as recipient,
        case k.state when 'done' then 'accepted' when 'dropped' then 'dropped' else 'made' end as state,
        k.done_at as "at", k.task_id as message_key
    from tasks k join telling t on t.step = k.step where k.campaign = $campaign
),
-- The last part of a key is its rotation.
ranked as (
    select step, lead_id, recipient, try_cast(regexp_extract(message_key, '[0-9]+$') as bigint) as rotation,
        case state when 'accepted' then 6 when 'dropped' then 5 when 'made' then 4 when 'handed' then 4 when 'dead' then 2
            when 'refused' then 1 else 3 end as rank,
        case when state = 'accepted' then "at" end as accepted_at
    from known
),
known_of_lead as (
    select step, lead_id, rotation, max(rank) as rank, max(accepted_at) as accepted_at
    from ranked group by step, lead_id, rotation
),
known_of_address as (
    select step, recipient, rotation, max(rank) as rank, max(accepted_at) as accepted_at
    from ranked where recipient is not null group by step, recipient, rotation
),
-- What counts for a cap, by the clock of whom it went to. Of messages that nobody knows the outcome of, the worst is held.
contacted as (
    select m.lead_id, m.recipient, m."at", k.cap_no, k.messages, k.length_s
    from (
        select lead_id, lower(recipient) as recipient, campaign, channel, "at" from messages
        where "at" > $cap_since and state <> 'refused'
        union all
        select lead_id, lower(recipient) as recipient, campaign, channel, "at" from effects
        where "at" > $cap_since and state in ('accepted', 'sending', 'unknown')
    ) m
    left join transactional t on t.campaign = m.campaign
    left join candidates c on c.lead_id = m.lead_id
    join caps k on k.zone = coalesce(c.zone, '') and m."at" > k.since and (k.channel = 'any' or k.channel = m.channel)
    where t.campaign is null
),
-- There is room again when the newest of as many messages as the cap allows no longer counts.
contacts as (
    select who, address, cap_no, max(nth) as n,
        max(case when nth = messages then "at" + to_seconds(length_s) end) as free_at
    from (
        select lead_id as who, cast(null as varchar) as address, cap_no, messages, length_s, "at",
            row_number() over (partition by lead_id, cap_no order by "at" desc) as nth
        from contacted where lead_id is not null
        union all
        select cast(null as bigint), recipient, cap_no, messages, length_s, "at",
            row_number() over (partition by recipient, cap_no order by "at" desc) as nth
        from contacted where recipient is not null
    )
    group by who, address, cap_no
),
addressed as (
    select c.lead_id, c.zone, w.rotation, w.is_out, s.step, s.step_no, s.action, s.channel, s.after_step, s.wait_s,
        case s.address when 'email' then c.email when 'phone' then c.phone when 'id' then i.value
            when 'id, phone' then coalesce(i.value, c.phone)
            when 'any' then coalesce(i.value, c.email, c.phone) end as recipient,
        case when s.address = 'email' or (s.address = 'any' and i.value is null and c.email is not null) then 1 else 0 end
            as is_email,
        coalesce(nullif(s.owner, ''), c.owner) as owner,
        case when s.input_no > 0 then c.inputs[s.input_no] end as inputs,
        c.in_holdout
    from wanted w
    join candidates c on c.lead_id = w.lead_id
    join campaign_steps s on s.step = w.step
    left join channel_ids i on i.lead_id = c.lead_id and i.channel = s.channel
),
-- Addresses are compared in lower case, and written to as they are.
stepped as (select *, lower(recipient) as address from addressed),
reached as (
    select x.*,
        greatest(coalesce(kl.rank, 0), coalesce(ka.rank, 0)) as known_rank,
        coalesce(al.accepted_at, aa.accepted_at) as after_at,
        (bl.lead_id is not null or ba.address is not null) as is_blacklisted,
        coalesce(ra.is_opted_out, false) or coalesce(sp.state = 'out', false) as is_opted_out,
        sp.state as word, ra.suppressed, e.ending
    from stepped x
    left join known_of_lead kl on kl.step = x.step and kl.lead_id = x.lead_id and kl.rotation = x.rotation
    left join known_of_address ka on ka.step = x.step and ka.recipient = x.address and ka.rotation = x.rotation
    left join known_of_lead al on al.step = x.after_step and al.lead_id = x.lead_id and al.rotation = x.rotation
    left join known_of_address aa on aa.step = x.after_step and aa.recipient = x.address and aa.rotation = x.rotation
    left join blacklist bl on bl.lead_id = x.lead_id
    left join blacklisted_address ba on ba.address = x.address
    left join refused_address ra on ra.address = x.address
    left join spoken sp on sp.lead_id = x.lead_id
    left join exited e on e.lead_id = x.lead_id and e.rotation = x.rotation
    where x.after_step is null or coalesce(al.accepted_at, aa.accepted_at) is not null
),
-- The lowest number wins, among those whom any step is for, so that an address which several share gets no two variants;
-- where each message is about something of its own ($apart), none is a double.
winners as (
    select case when $by_step then step end as step, address, min(lead_id) as lead_id from reached
    where action = 'send' and address is not null and not is_out and not $apart group by 1, 2
    having min(lead_id) <> max(lead_id)
),
deduped as (
    select r.*,
        w.lead_id is not null as is_double,
        case when r.after_step is not null then r.after_at + to_seconds(r.wait_s) end as ripe_at
    from reached r
    left join winners w on w.address = r.address and w.lead_id < r.lead_id and (not $by_step or w.step = r.step)
        and r.action = 'send' and not r.is_out
),
judged as (
    select d.*, o.opens_at, o.why as closed_by,
        case
            when d.known_rank >= 4 and d.action = 'task' then 'skip:already made'
            when d.known_rank = 6 then 'skip:already sent'
            when d.known_rank = 5 then 'skip:dropped by a person'
            when d.known_rank = 4 then 'hold:with a person'
            when d.known_rank = 3 then 'hold:unknown outcome'
            when d.known_rank = 2 then 'hold:tried out'
            when d.known_rank = 1 then 'skip:refused before'
            when d.is_out then 'skip:condition of the step'
            when d.ending is not null then 'skip:exit on ' || d.ending
            when d.is_blacklisted then 'skip:blacklisted'
            when d.action = 'send' and d.recipient is null then 'skip:no address'
            when d.action = 'send' and case when d.is_email = 1 then d.recipient like '%@%@%' and d.recipient not like '%"%'
                else contains(d.recipient, ',') or contains(d.recipient, ';') end
                then 'skip:several addresses in one field'
            when d.action = 'send' and d.is_email = 1
                and (d.recipient not like '_%@%_' or regexp_matches(d.recipient, '[\s,;<>]')) then 'skip:address not valid'
            when d.action = 'send' and d.suppressed is not null then 'skip:suppressed (' || d.suppressed || ')'
            when d.action = 'send' and $marketing and d.is_opted_out then 'skip:unsubscribed'
            when d.action = 'send' and $confirm and d.word is distinct from 'asked' then 'skip:nothing to confirm'
            when d.action = 'send' and $needs_consent and d.word is null then 'skip:no consent'
            when d.is_double then 'skip:duplicate address'
            when d.action = 'task' and d.owner is null then 'skip:no owner'
            when d.in_holdout then 'hold:holdout'
            when d.action = 'send' and $needs_consent and d.word = 'asked' then 'wait:not confirmed'
            when d.ripe_at > $at then 'wait:after ' || d.after_step
            when o.opens_at > $at then 'wait:' || o.why
            else d.action
        end as verdict
    from deduped d
    left join openings o on o.step = d.step and o.zone = d.zone
),
sends as (select lead_id, rotation, step, step_no, zone, channel, address from judged where verdict = 'send'),
-- Few get two messages of one plan: those alone are put in order, of each person and at each address. Where each step is
-- judged by itself ($by_step), nobody does.
together as (select * from sends where not $by_step),
crowded as (
    select s.lead_id, s.rotation, s.step, k.cap_no,
        greatest(row_number() over (partition by s.lead_id, k.cap_no order by s.step_no, s.rotation),
            row_number() over (partition by s.address, k.cap_no order by s.step_no, s.lead_id)) as nth
    from together s
    left join (select lead_id from together group by lead_id having count(*) > 1) l on l.lead_id = s.lead_id
    left join (select address from together group by address having count(*) > 1) a on a.address = s.address
    join caps k on k.zone = s.zone and (k.channel = 'any' or k.channel = s.channel)
    where l.lead_id is not null or a.address is not null
),
over_cap as (
    select lead_id, rotation, step, max(free_at) as free_at, max(is_final) as is_final, min_by(says, cap_no) as says
    from (
        select s.lead_id, s.rotation, s.step, k.cap_no, k.is_final, k.says,
            case when coalesce(w.nth, 1) > 1 then $at + to_seconds(k.length_s)
                else greatest(coalesce(cl.free_at, $at), coalesce(ca.free_at, $at)) end as free_at
        from sends s
        join caps k on k.zone = s.zone and (k.channel = 'any' or k.channel = s.channel)
        left join contacts cl on cl.who = s.lead_id and cl.cap_no = k.cap_no
        left join contacts ca on ca.address = s.address and ca.cap_no = k.cap_no
        left join crowded w on w.lead_id = s.lead_id and w.rotation = s.rotation and w.step = s.step
            and w.cap_no = k.cap_no
        where greatest(coalesce(cl.n, 0), coalesce(ca.n, 0)) + coalesce(w.nth, 1) > k.messages
    )
    group by lead_id, rotation, step
),
capped as (
    select j.*, o.free_at,
        case when o.lead_id is null then j.verdict
            -- A message that would have to wait for longer than the campaign lasts waits for nothing.
            when o.is_final or o.free_at >= $ends_at then 'skip:' || o.says
            else 'wait:' || o.says end as final
    from judged j
    left join over_cap o on o.lead_id = j.lead_id and o.rotation = j.rotation and o.step = j.step
),
settled as (
    select lead_id, rotation, step, step_no, split_part(final, ':', 1) as action,
        -- A reason on a list may hold a colon itself.
        case when strpos(final, ':') > 0 then substr(final, strpos(final, ':') + 1) end as reason,
        case when final like 'wait:capped%' then free_at when final like 'wait:after %' then ripe_at
            when final = 'wait:' || closed_by then opens_at end as due_at,
        channel,
        case when split_part(final, ':', 1) in ('send', 'wait') then recipient end as recipient,
        case when final = 'task' then owner end as owner,
        case when final = 'send' then inputs end as inputs
    from capped
)
select lead_id, step, action, reason, due_at, channel, recipient,
    case when action in ('send', 'task')
        then $key_prefix || step || '.' || cast(lead_id as varchar) || '.' || cast(rotation as varchar) end as message_key,
    owner, inputs, rotation, step_no
from settled
