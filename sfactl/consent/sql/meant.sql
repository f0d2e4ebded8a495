-- One row per lead that the addresses and hashes of the table given mean.
with named as (
    select lead_id, unnest(['email', 'phone', 'phone']) as kind, unnest([lower(trim(email)), phone, substr(phone, 2)]) as text
    from leads
)
select lead_id from named n join given g on g.kind = n.kind and g.value = n.text
union
select lead_id from (select lead_id, unnest([md5(text), sha1(text), sha256(text)]) as hash from named) h
join given g on g.kind = 'hash' and g.value = h.hash
