-- One row is a lead that somebody referred, with who it was: a record of ours, as it is called now, or just a name.
with referred as (
    select
        l.lead_id,
        -- A referrer that was merged since is the record it was merged into.
        coalesce(a.root_id, try_cast(l.referrer_id as bigint)) as referrer_no,
        l.referrer_kind,
        l.referrer_id,
        l.referrer
    from leads l
    left join record_aliases a on a.entity = l.referrer_kind and a.id = try_cast(l.referrer_id as bigint)
    where l.referrer_id is not null or l.referrer is not null
)

select
    j.*,
    case
        when r.referrer_id is null then 'unlinked'
        else r.referrer_kind
    end as kind,
    case
        when r.referrer_id is null then r.referrer
        when r.referrer_kind = 'rep' then concat('rep:', r.referrer_id)
        else concat(r.referrer_kind, ':', coalesce(cast(r.referrer_no as varchar), r.referrer_id))
    end as referrer,
    coalesce(rl.full_name, rl.company, rc.full_name, rr.name, r.referrer, r.referrer_id) as name
from referred r
join journey j on j.lead_id = r.lead_id
left join leads rl on r.referrer_kind = 'lead' and rl.lead_id = r.referrer_no
left join contacts rc on r.referrer_kind = 'contact' and rc.contact_id = r.referrer_no
left join reps rr on r.referrer_kind = 'rep' and rr.rep_id = r.referrer_id
