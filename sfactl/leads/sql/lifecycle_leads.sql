-- One row is a lead of the temporary table movers, whole, in its new stage.
select l.* replace (
    v.to_stage as status,
    $now as updated_at,
    case when v.to_stage = 'disqualified' then v.reason when v.from_stage = 'disqualified' then null
        else l.disqualified_reason end as disqualified_reason
)
from leads as l
join movers as v on v.lead_id = l.lead_id
