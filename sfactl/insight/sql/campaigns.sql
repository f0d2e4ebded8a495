-- One row is a campaign: its messages by outcome, what recipients did, and how far they and the control group came.
with sent as (
    select
        campaign,
        lead_id,
        sum(case when state = 'accepted' then 1 else 0 end) as accepted,
        sum(case when state = 'refused' then 1 else 0 end) as refused,
        sum(case when state = 'unknown' then 1 else 0 end) as unknown,
        min("at") as first_at
    from messages
    group by campaign, lead_id
),

held as (
    select distinct
        p.campaign,
        i.lead_id
    from plan_items i
    join plans p on p.plan_id = i.plan_id
    where i.action = 'hold'
),

answered as (
    select
        campaign,
        lead_id,
        max(case when kind in ('email_open', 'email_click') then 1 else 0 end) as opened,
        max(case when kind = 'email_click' then 1 else 0 end) as clicked,
        max(case when kind = 'unsubscribe' then 1 else 0 end) as left_us
    from touchpoints
    where campaign is not null
    group by campaign, lead_id
),

group_of as (
    select
        s.campaign,
        s.lead_id,
        0 as control,
        s.accepted,
        s.refused,
        s.unknown,
        coalesce(a.opened, 0) as opened,
        coalesce(a.clicked, 0) as clicked,
        coalesce(a.left_us, 0) as left_us
    from sent s
    left join answered a on a.campaign = s.campaign and a.lead_id = s.lead_id
    union all
    select
        campaign,
        lead_id,
        1,
        0,
        0,
        0,
        0,
        0,
        0
    from held
)

select
    g.campaign,
    cast(sum(1 - g.control) as bigint) as recipients,
    cast(sum(g.accepted) as bigint) as accepted,
    cast(sum(g.refused) as bigint) as refused,
    cast(sum(g.unknown) as bigint) as unknown,
    cast(sum(g.opened) as bigint) as opened,
    cast(sum(g.clicked) as bigint) as clicked,
    cast(sum(g.left_us) as bigint) as unsubscribed,
    cast(sum(case when g.control = 0 and j.reached >= $stage_no then 1 else 0 end) as bigint) as hits,
    cast(sum(g.control) as bigint) as control,
    cast(sum(case when g.control = 1 and j.reached >= $stage_no then 1 else 0 end) as bigint) as control_hits
from group_of g
join journey j on j.lead_id = g.lead_id
group by g.campaign
order by g.campaign
