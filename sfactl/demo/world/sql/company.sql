-- One row is a company of the world.
create or replace temp table company as
with drawn as (
    select
        i as company_no,
        draw(getvariable('place_deck'), i, 'company.place') as place_no,
        below(10, i, 'company.industry') as industry_no,
        greatest(3, exp(4.1 + 1.3 * normal(i, 'company.size')))::bigint as employees,
        -- 400 pairs of words in an order of the seed's own; each round through them adds a third word, then a number.
        (i * 149 + getvariable('seed')::ubigint % 400)::bigint % 400 as pair_no,
        (i // 400)::bigint as round_no
    from range(getvariable('companies')) t (i)
)

select
    d.company_no,
    d.employees,
    p.code as country,
    p.language,
    p.locale,
    p.time_zone,
    p.utc_offset_h,
    p.calling,
    p.trunk,
    p.phone,
    city.name as city,
    city.postal_code,
    filled(p.street, d.company_no, 'company.street') as street,
    n.name as industry,
    n.fit as industry_fit,
    -- A company of 20 to 500 people buys one machine; smaller ones cannot, larger ones ask for tenders.
    exp(-pow((ln(d.employees) - 4.8) / 1.6, 2)) as size_fit,
    tax(p.code, d.company_no) as tax_id,
    a.roman || b.roman || coalesce(c.roman, '') || if(d.round_no > 20, (d.round_no - 20)::varchar, '')
        || '.' || lower(p.code) || '.example' as domain,
    case p.language
        when 'ja' then p.legal || a.native || b.native || coalesce(c.native, '')
            || if(d.round_no > 20, (d.round_no - 20)::varchar, '') || trade.native
        when 'en' then a.native || ' ' || b.native || coalesce(' ' || c.native, '')
            || if(d.round_no > 20, ' ' || (d.round_no - 20)::varchar, '') || ' ' || trade.native || ' ' || p.legal
        when 'de' then a.native || b.native || coalesce('-' || upper(left(c.native, 1)) || substr(c.native, 2), '')
            || if(d.round_no > 20, ' ' || (d.round_no - 20)::varchar, '') || ' ' || trade.native || ' ' || p.legal
        else a.native || b.native || coalesce(c.native, '')
            || if(d.round_no > 20, (d.round_no - 20)::varchar, '') || trade.native || p.legal
    end as name
from drawn d
join place p on p.place_no = d.place_no
join city on city.place_no = d.place_no and city.i = below(p.cities, d.company_no, 'company.city')
join industry n on n.industry_no = d.industry_no
join word trade on trade.kind = 'trade' and trade.language = p.language and trade.i = d.industry_no
join word a on a.kind = 'first' and a.language = p.language and a.i = d.pair_no // 20
join word b on b.kind = 'second' and b.language = p.language and b.i = d.pair_no % 20
left join word c on c.kind = 'second' and c.language = p.language and c.i = d.round_no - 1
order by d.company_no;
