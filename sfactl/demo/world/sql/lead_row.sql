-- One row is a line of the lead file as a user would get it: some people twice, some fields dirty, in stated shares.
create or replace temp view lead_row as
with line as (
    select
        i as row_no,
        if(i < getvariable('people'), i::bigint, below(getvariable('people'), i, 'row.repeat')) as person_no,
        i >= getvariable('people') as repeated,
        u(i, 'row.phone') as phone_form,
        u(i, 'row.email') as email_form,
        u(i, 'row.width') as width,
        u(i, 'row.empty') as emptiness
    from range(getvariable('rows')) t (i)
)

select
    l.row_no,
    l.person_no,
    p.first_contact_at + if(l.repeated, to_days(3), to_days(0)) as known_at,
    -- Whoever comes again was typed in by hand, without an id.
    if(l.repeated, null, 'W' || lpad(l.person_no::varchar, 8, '0')) as external_id,
    p.first_name,
    p.last_name,
    if(width < 0.02, wide(p.full_name), p.full_name) as full_name,
    -- 3 % shouted, 1 % with spaces around, 1 % not an address, 3 % missing; nobody else can be told from the rest.
    case
        when emptiness < 0.004 then '-'
        when repeated then upper(p.email)
        when email_form < 0.03 then upper(p.email)
        when email_form < 0.04 then '  ' || p.email || ' '
        when email_form < 0.05 then replace(p.email, '@', ' at ')
        when email_form < 0.08 then null
        else p.email
    end as email,
    -- National with hyphens, international in three styles, full width; 3 % missing.
    case
        when emptiness < 0.004 then 'N/A'
        when phone_form < 0.40
            then p.trunk || left(p.national, 3) || '-' || substr(p.national, 4, 3) || '-' || substr(p.national, 7)
        when phone_form < 0.52 then p.trunk || p.national
        when phone_form < 0.75 then p.phone
        when phone_form < 0.85 then '+' || p.calling || ' ' || left(p.national, 3) || ' ' || substr(p.national, 4)
        when phone_form < 0.92
            then if(p.country in ('CN', 'DE', 'GB'), '00', '+') || p.calling || ' ' || p.national
        when phone_form < 0.97 then wide(p.trunk || p.national)
    end as phone,
    if(width between 0.02 and 0.05, wide(p.company), p.company) as company,
    p.title,
    p.industry,
    p.employees,
    p.street,
    p.city,
    cast(null as varchar) as region,
    p.postal_code,
    p.country,
    -- 2 % mistyped: two neighbours swapped
    if(
        u(l.row_no, 'row.tax') < 0.02,
        left(p.tax_id, 3) || substr(p.tax_id, 5, 1) || substr(p.tax_id, 4, 1) || substr(p.tax_id, 6),
        p.tax_id
    ) as tax_id,
    'https://' || p.domain as website,
    p.locale as language,
    p.time_zone,
    p.source,
    p.channel,
    p.direction,
    p.event,
    case
        when p.source in ('search-ads', 'webinar') then p.source || '-' || strftime(p.first_contact_at, '%Y-%m')
    end as campaign,
    case
        when p.source = 'referral'
            then 'W' || lpad(below(getvariable('people'), l.person_no, 'row.referrer')::varchar, 8, '0')
    end as referrer,
    p.product_interest,
    case when p.warmth = 2 then 'replacement this year' when p.warmth = 1 then 'comparing' end as need,
    (round(p.price * (0.5 + u(l.person_no, 'row.budget')), -2))::bigint as budget,
    p.first_contact_at::date as first_contact_on,
    if(u(l.row_no, 'row.note') < 0.1, case p.language
        when 'zh-Hant' then draw(['來電詢問', '請寄型錄', '展會上談過,下週再聯絡'], l.row_no, 'row.text')
        when 'zh-Hans' then draw(['来电咨询', '请寄样本', '展会上谈过,下周再联系'], l.row_no, 'row.text')
        when 'ja' then draw(['前回の見積書あり', 'カタログ希望'], l.row_no, 'row.text')
        when 'de' then draw(['Rückruf erbeten', 'Katalog gewünscht'], l.row_no, 'row.text')
        else draw(['met at the show, call back', 'asked for a sample cut'], l.row_no, 'row.text')
    end, null) as note
from line l
join person p on p.person_no = l.person_no
order by l.row_no;
