-- One row per person of the audience and channel in spoken_channels by whose id the person is known: the namespace of the
-- id is the channel's name. The lead's own id goes before one that came with a merge.
with known as (
    select l.lead_id, l.id_namespace as channel, l.external_id as value, 0 as place
    from leads l where l.external_id is not null
    union all
    select i.lead_id, i.namespace as channel, i.value, 1 as place
    from identities i where i.kind = 'external_id'
)
select k.lead_id, k.channel, arg_min(k.value, (k.place, k.value)) as value
from known k
join audience a on a.lead_id = k.lead_id
join spoken_channels s on s.channel = k.channel
group by k.lead_id, k.channel
