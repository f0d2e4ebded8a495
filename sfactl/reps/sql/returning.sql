-- One row is a held lead with the time at which it goes back to the pool and why; null where nothing sends it back.
select
    h.*,
    case
        when i.idle_at is null and i.deadline_at is null then null
        when i.deadline_at is null or i.idle_at <= i.deadline_at then i.idle_at
        else i.deadline_at
    end as returns_at,
    case
        when i.idle_at is null and i.deadline_at is null then null
        when i.deadline_at is null or i.idle_at <= i.deadline_at then 'no follow-up for ' || $idle
        else 'not converted within ' || $deadline
    end as why
from holdings as h
join (
    select
        lead_id,
        case when $idle <> '' then active_at + to_months($i_months) + to_seconds($i_seconds) end as idle_at,
        case when $deadline <> '' then since + to_months($d_months) + to_seconds($d_seconds) end as deadline_at
    from holdings
) as i on i.lead_id = h.lead_id
