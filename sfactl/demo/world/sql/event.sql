-- One row is something a person did, or we did with them; together exactly as many as asked for.
create or replace temp view event as
with share as (
    -- Whole numbers, so that the running sum does not depend on how it is added up.
    select
        person_no,
        1 + (
            1000 * exp(0.8 * intent)
            * (0.2 + date_diff('day', first_contact_at, getvariable('closes')) / getvariable('days'))
        )::bigint as weight
    from person
),

span as (
    select
        person_no,
        sum(weight) over (order by person_no) as upto,
        weight,
        sum(weight) over () as total
    from share
),

counted as (
    select
        person_no,
        (upto::double / total * getvariable('events'))::bigint
        - ((upto - weight)::double / total * getvariable('events'))::bigint as acts
    from span
),

act_of as (
    select
        c.person_no,
        k,
        c.person_no * 100003 + k as i
    from counted c, range(c.acts) t (k)
),

timed as (
    select
        a.i,
        a.k,
        p.person_no,
        p.warmth,
        p.language,
        p.campaign_month,
        -- Interest is strong at first and fades; warm people stay longer.
        p.first_contact_at + to_microseconds((
            if(a.k = 0, 0, pow(u(a.i, 'event.time'), 1.7))
            * least(p.left_us, (20 + 60 * (1 + p.warmth)) * 86400000000)
        )::bigint) as at
    from act_of a
    join (
        select
            person_no,
            warmth,
            language,
            first_contact_at,
            strftime(first_contact_at, '%Y-%m') as campaign_month,
            date_diff('microsecond', first_contact_at, getvariable('closes')) - 1000000 as left_us
        from person
    ) p on p.person_no = a.person_no
)

select
    'E' || t.i::varchar as event_id,
    t.at,
    act.kind,
    t.person_no,
    'W' || lpad(t.person_no::varchar, 8, '0') as external_id,
    'inbound' as direction,
    act.channel,
    case when act.channel = 'email' then 'newsletter-' || t.campaign_month end as campaign,
    act.content,
    case when act.channel = 'web' then 'S' || (t.person_no * 1000 + t.k // 4)::varchar end as session_id,
    case act.kind
        when 'visit' then 5 + below(240, t.i, 'event.value')
        when 'call' then 60 + below(900, t.i, 'event.value')
    end::double as value,
    case when act.kind = 'call' then case t.warmth
        when 0 then '不需要,謝謝'
        when 1 then 'please send the catalogue 請寄型錄'
        else 'what would it cost with installation? 含安裝多少錢'
    end end as text
from timed t
join act on act.act_no = getvariable('act_deck')[1 + t.warmth * 100 + below(100, t.i, 'event.act')];
