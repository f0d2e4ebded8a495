-- One row per case that is new or that the file says something new about, as it is to be stored.
with last_moment as (
    select case_id, arg_max(status, nth) as status, arg_max(state, nth) as state, max("at") as updated_at,
        count(case when state_before in ('resolved', 'closed') and state not in ('resolved', 'closed') then 1 end) as reopened,
        bool_or(not is_stored) as is_told
    from moment group by case_id
),
-- Since when it is settled: the first moment of the settled ones at its end.
unsettled as (
    select case_id, max(case when state not in ('resolved', 'closed') then nth end) as nth,
        max(case when state <> 'closed' then nth end) as not_closed
    from moment group by case_id
),
settled as (
    select m.case_id, min(case when m.nth > coalesce(u.nth, 0) then m."at" end) as resolved_at,
        min(case when m.nth > coalesce(u.not_closed, 0) then m."at" end) as closed_at
    from moment m join unsettled u on u.case_id = m.case_id
    group by m.case_id
),
said as (
    select f.case_id, coalesce(f.lead_id, c.lead_id) as lead_id, coalesce(l.contact_id, c.contact_id) as contact_id,
        coalesce(l.account_id, c.account_id) as account_id, coalesce(f.channel, c.channel) as channel,
        coalesce(f.subject, c.subject, f.category, 'Case ' || f.case_key) as subject, coalesce(f.text, c.text) as text,
        coalesce(f.category, c.category) as category, coalesce(f.priority, c.priority) as priority,
        m.status, m.state, coalesce(f.owner, c.owner) as owner, coalesce(c.opened_at, f.opened_at) as opened_at,
        greatest(m.updated_at, coalesce(c.updated_at, m.updated_at)) as updated_at, s.resolved_at, s.closed_at, m.reopened,
        coalesce(f.resolution, c.resolution) as resolution, $space as source, f.case_key as source_key,
        coalesce(f.address, c.address) as address, c.message_id, c.thread, c.silent, coalesce(c.opened_by, $actor) as opened_by,
        c.case_id is null as is_new,
        c.case_id is null or m.is_told or c.lead_id is distinct from coalesce(f.lead_id, c.lead_id)
            or c.channel is distinct from coalesce(f.channel, c.channel)
            or c.subject is distinct from coalesce(f.subject, c.subject) or c.text is distinct from coalesce(f.text, c.text)
            or c.category is distinct from coalesce(f.category, c.category)
            or c.priority is distinct from coalesce(f.priority, c.priority)
            or c.owner is distinct from coalesce(f.owner, c.owner)
            or c.resolution is distinct from coalesce(f.resolution, c.resolution) as is_changed
    from file_cases f
    join last_moment m on m.case_id = f.case_id
    join settled s on s.case_id = f.case_id
    left join cases c on c.case_id = f.case_id
    left join leads l on l.lead_id = f.lead_id
)
select * from said where is_changed
