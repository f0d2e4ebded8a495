-- One row per thing that happened in the case $case, and per notice of it that left or is held, oldest first.
with mine as (select * from case_events where case_id = $case),
told as (
    select m."at", m.state, m.step, m.recipient, m.detail, m.sender, m.message_key
    from (select "at", state, step, recipient, detail, sender, message_key from messages where campaign = $campaign) m
    join mine e on e.event_no = try_cast(regexp_extract(m.message_key, '[0-9]+$') as bigint)
)
select e."at",
    case when e.to_status is not null and e.from_status is not null then e.kind || ': ' || e.from_status || ' → ' || e.to_status
        when e.field is not null then e.kind || ': ' || e.field
        else e.kind end as what,
    concat_ws(' · ', case when e.field is not null then coalesce(e.old_value || ' → ', '') || coalesce(e.new_value, 'empty')
        else e.new_value end, e.reason, e.text, case when e.kind = 'opened' then e.channel end) as detail,
    e.actor, 0 as rank, e.event_no
from mine e
union all
select t."at", 'notice: ' || t.step || ', ' || t.state, concat_ws(' · ', t.recipient, nullif(t.detail, '')), t.sender, 1, 0
from told t
order by 1, 5, 6
