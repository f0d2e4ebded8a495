-- One row per word of the table words and lead it is about, ready to be a touchpoint; lead_id is null where nobody has the
-- address. known: it was recorded before.
with who as (
    select w.row, l.lead_id from words w
    join leads l on l.lead_id = coalesce((select a.root_id from record_aliases a
        where a.entity = 'lead' and a.id = w.lead_id), w.lead_id)
    where w.lead_id is not null
    union
    select w.row, l.lead_id from words w join leads l on lower(trim(l.email)) = w.value where w.address = 'email'
    union
    select w.row, l.lead_id from words w join leads l on l.phone = w.value where w.address = 'phone'
),
told as (
    select w.row, w.address, w.value, w.lead_id as asked, h.lead_id, w.kind, nullif(w.topic, '') as topic, w."at",
        nullif(w.evidence, '') as evidence, nullif(w.channel, '') as channel,
        'consent:' || left(sha256(concat_ws(chr(31), cast(h.lead_id as varchar), w.kind, w.topic,
            cast(w."at" as varchar), w.evidence)), 32) as event_id
    from words w
    left join who h on h.row = w.row
)
select t.*, k.event_id is not null as known
from told t
left join touchpoints k on k.event_id = t.event_id and k.lead_id = t.lead_id
qualify row_number() over (partition by coalesce(t.event_id, cast(t.row as varchar)), t.lead_id is null order by t.row) = 1
