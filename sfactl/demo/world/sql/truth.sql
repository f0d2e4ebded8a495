-- One row is what will become of a person if someone works on them: hidden from scores, the measure of them afterwards.
create or replace temp table truth as
with chance as (
    select
        *,
        2.6 * (2 * fit - 1) + 1.2 * intent as base,
        u(person_no, 'truth.luck') as luck
    from person
),

fate as (
    select
        *,
        -- One draw against falling chances: who wins has been quoted, who was quoted has been converted.
        luck < logistic(base - 1.6) as accepts,
        luck < logistic(base - 2.8) as converts,
        luck < logistic(base - 4.3) as quotes,
        luck < logistic(base - 5.2) as wins,
        logistic(base - 5.2) as win_chance,
        greatest(1, least(5, round(exp(0.35 * normal(person_no, 'truth.units'))
            * (1 + (employees > 200)::bigint))))::bigint as units,
        u(person_no, 'truth.payer') as payer
    from chance
)

select
    person_no,
    external_id,
    email,
    fit,
    intent,
    warmth,
    win_chance,
    accepts,
    converts,
    quotes,
    wins,
    sku,
    units,
    units * price as list_value,
    case
        when not wins and converts
            then draw(['price', 'competitor', 'no budget', 'no decision', 'timing'], person_no, 'truth.loss')
    end as lost_reason,
    (2 + 9 * exp(0.6 * normal(person_no, 'truth.accept_days')))::bigint as accept_days,
    (4 + 12 * exp(0.6 * normal(person_no, 'truth.quote_days')))::bigint as quote_days,
    (6 + 22 * exp(0.6 * normal(person_no, 'truth.decide_days')))::bigint as decide_days,
    case when payer < 0.66 then 'on time' when payer < 0.86 then 'late' when payer < 0.94 then 'part' else 'never' end
        as pays,
    case
        when payer < 0.66 then -below(12, person_no, 'truth.pay_days')
        when payer < 0.94 then 3 + below(50, person_no, 'truth.pay_days')
    end as pay_days_after_due
from (select f.*, 'W' || lpad(person_no::varchar, 8, '0') as external_id from fate f) t
order by person_no;
