-- One row is a deal.
select
    person_no + 1 as opportunity_id, 'opportunity' as pipeline, 'USD' as currency, person_no + 1 as lead_id,
    case when t.wins then 'won' when t.quotes and person_no % 3 = 0 then 'negotiation' when t.quotes then 'lost' when person_no % 2 = 0 then 'needs' else 'qualification' end as stage,
    case when t.wins then 'won' when t.quotes and person_no % 3 > 0 then 'lost' else 'open' end as category,
    case when t.wins then 1.0 when t.quotes and person_no % 3 = 0 then 0.75 when t.quotes then 0 when person_no % 2 = 0 then 0.25 else 0.1 end as probability,
    t.list_value as amount
from truth t where t.converts
