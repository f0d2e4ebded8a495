-- One row per pending notice: what is done about it at $at, and why. Reads pending, plan_rows (what the gate says), effects
-- and ours (addresses of ours). Nobody answers a machine: RFC 3834, 2 names the addresses that may not be answered.
with judged as (
    select w.event_no, w.case_id, w.step, w.lead_id, w.why, p.action, p.reason, p.due_at, p.channel, p.recipient,
        p.message_key, p.inputs, lower(p.recipient) as address,
        regexp_replace(split_part(lower(p.recipient), '@', 1), '[^a-z0-9+-]', '', 'g') as local_part
    from pending w
    left join plan_rows p on p.lead_id = w.lead_id and p.step = w.step and p.rotation = w.event_no
),
checked as (
    select j.*,
        case when j.why is not null then 'skip:' || j.why
            when j.action is null then 'skip:the lead is gone'
            when j.action = 'send' and (o.address is not null or r.address is not null) then 'skip:an address of ours'
            when j.action = 'send' and regexp_matches(j.local_part,
                '^(no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|nobody|owner-.*|.*-request)([+-].*)?$')
                then 'skip:an address that nobody reads'
            else j.action || ':' || coalesce(j.reason, '') end as verdict
    from judged j
    left join (select distinct address from ours) o on o.address = j.address
    left join (select distinct lower(trim(email)) as address from reps where email is not null) r on r.address = j.address
),
recent as (
    select lower(recipient) as address, count(*) as n, min("at") as oldest
    from (
        select recipient, "at" from messages where campaign = $campaign and state = 'accepted' and "at" > $day_ago
        union all
        select recipient, "at" from effects
        where campaign = $campaign and state in ('accepted', 'sending', 'unknown') and "at" > $day_ago
    )
    group by 1
),
placed as (
    select c.*, split_part(c.verdict, ':', 1) as said,
        row_number() over (partition by c.address, c.verdict like 'send:%' order by c.event_no) as nth,
        coalesce(r.n, 0) as before, r.oldest
    from checked c
    left join recent r on r.address = c.address
),
bounded as (
    select *, said = 'send' and before + nth > $per_day as is_over from placed
)
select case_id, event_no, step, lead_id,
    case when is_over then 'wait' else said end as action,
    case when is_over then 'no more than ' || cast($per_day as varchar) || ' notices to one address in 24 hours'
        else nullif(substr(verdict, strpos(verdict, ':') + 1), '') end as reason,
    case when is_over then coalesce(oldest, cast($at as timestamp)) + to_seconds(86400)
        when said = 'wait' then due_at end as due_at,
    channel,
    case when said in ('send', 'wait') then recipient end as recipient,
    case when said = 'send' and not is_over then message_key end as message_key,
    case when said = 'send' and not is_over then inputs end as inputs
from bounded
order by lead_id nulls first, step, event_no
