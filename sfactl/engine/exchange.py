"""Turn amounts of one currency into another at the rate of their day.

A rate holds until the next one of the same pair, but no longer than `HOLDS_DAYS`: weekends and holidays are bridged, a
gap in the table is not. Where there is no rate there is no factor, and whoever asks must say so.
"""

from __future__ import annotations

HOLDS_DAYS = 10
"""The longest time that the reference rates of central banks pause is four days; ten leave room for other calendars."""


def factors(pairs: str, into: str) -> str:
    """SQL: (currency, day, factor) of the SELECT ``pairs`` (currency, day); ``into`` is SQL for the wanted currency.

    ``factor`` is what one unit of ``currency`` was worth on ``day``, a double; null where no rate says so. Rates of two
    currencies against one base make the cross rate; of several bases the first in the alphabet counts.
    """
    days = f"date_diff('day', {{0}}.rated_on, p.day) between 0 and {HOLDS_DAYS}"
    until = "({0}.until_on is null or p.day < {0}.until_on)"
    return (
        f"with wanted as (select distinct currency, day from ({pairs})),"
        " in_effect as (select base, currency, rated_on, cast(rate as double) as rate, lead(rated_on) over"
        " (partition by base, currency order by rated_on) as until_on from rates where rate > 0),"
        " sides as (select p.currency, p.day, r.base, r.rate from wanted p join in_effect r on r.currency = p.currency"
        f" and {days.format('r')} and {until.format('r')}"
        " union all select p.currency, p.day, r.base, 1.0 from wanted p join (select distinct base from rates) r"
        " on r.base = p.currency),"
        " others as (select distinct p.day, r.base, r.rate from wanted p join in_effect r"
        f" on r.currency = {into} and {days.format('r')} and {until.format('r')}"
        f" union all select distinct p.day, r.base, 1.0 from wanted p join (select distinct base from rates) r"
        f" on r.base = {into}),"
        " crossed as (select s.currency, s.day, min_by(o.rate / s.rate, s.base) as factor from sides s"
        " join others o on o.day = s.day and o.base = s.base group by s.currency, s.day)"
        f" select w.currency, w.day, case when w.currency = {into} then 1.0 else c.factor end as factor"
        " from wanted w left join crossed c on c.currency = w.currency and c.day = w.day"
    )
