-- One row is a tag of one source: how many bear it now, by how many authors, and of how many it has expired.
select
    t.tag,
    t.source,
    t.entity,
    count(*) filter (where t.at <= $now and (t.expires_at is null or t.expires_at > $now)) as bearers,
    count(*) filter (where t.expires_at <= $now) as expired,
    count(distinct t.author) as authors,
    max(t.at) as newest
from tags as t
where t.at <= $now
    and (cast($tag as varchar) is null or t.tag = $tag)
    and (cast($source as varchar) is null or t.source = $source)
group by t.tag, t.source, t.entity
order by t.tag, t.source, t.entity
