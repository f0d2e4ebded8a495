-- One row is a person who may buy: what the world shows of them, and the propensities that it hides.
create or replace temp table person as
with drawn as (
    select
        i as person_no,
        floor(pow(u(i, 'person.company'), 1.3) * getvariable('companies'))::bigint as company_no,
        below(40, i, 'person.family') as family_no,
        below(40, i, 'person.given') as given_no,
        draw(getvariable('title_deck'), i, 'person.title') as title_no,
        draw(getvariable('source_deck'), i, 'person.source') as source_no,
        draw(getvariable('product_deck'), i, 'person.product') as product_no
    from range(getvariable('people')) t (i)
),

known as (
    select
        d.person_no,
        c.company_no,
        c.name as company,
        c.employees,
        c.industry,
        c.street,
        c.city,
        c.postal_code,
        c.country,
        c.tax_id,
        c.domain,
        c.language,
        c.locale,
        c.time_zone,
        c.calling,
        c.trunk,
        g.native as first_name,
        f.native as last_name,
        case c.language
            when 'ja' then f.native || ' ' || g.native
            when 'en' then g.native || ' ' || f.native
            when 'de' then g.native || ' ' || f.native
            else f.native || g.native
        end as full_name,
        g.roman || '.' || f.roman as mailbox,
        filled(draw(c.phone, d.person_no, 'person.prefix'), d.person_no, 'person.phone') as national,
        title.native as title,
        s.name as source,
        s.channel,
        s.direction,
        s.event,
        p.sku,
        product.native as product_interest,
        p.price,
        logistic(
            5.0 * (0.55 * c.industry_fit + 0.45 * t.fit) - 2.9 + 0.9 * (c.size_fit - 0.5)
            + 0.5 * normal(d.person_no, 'person.fit')
        ) as fit,
        s.pull + normal(d.person_no, 'person.intent') as intent,
        -- More people come late than early: the world's seller grows.
        getvariable('opens') + to_microseconds((
            pow(u(d.person_no, 'person.arrival'), 0.8) * 0.94 * getvariable('days') * 86400000000
        )::bigint) as first_contact_at
    from drawn d
    join company c on c.company_no = d.company_no
    join title t on t.title_no = d.title_no
    join word title on title.kind = 'title' and title.language = c.language and title.i = d.title_no
    join word f on f.kind = 'family' and f.language = c.language and f.i = d.family_no
    join word g on g.kind = 'given' and g.language = c.language and g.i = d.given_no
    join source s on s.source_no = d.source_no
    join product p on p.product_no = d.product_no
    join word product on product.kind = 'product' and product.language = c.language and product.i = d.product_no
)

select
    * exclude (mailbox, domain),
    domain,
    mailbox || if(namesake = 1, '', namesake::varchar) || '@' || domain as email,
    '+' || calling || national as phone,
    (case when intent < -0.1 then 0 when intent < 1.0 then 1 else 2 end)::bigint as warmth
from (
    select
        *,
        row_number() over (partition by domain, mailbox order by person_no) as namesake
    from known
) t
order by person_no;
