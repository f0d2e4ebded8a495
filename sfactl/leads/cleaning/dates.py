"""Dates and times. Whether 03/04 is March or April is decided over the whole column, from the file or the mapping.

One value with a day above 12 settles the order. Where all values fit both orders, another date column of the same file
may settle it, which is told; else the mapping has to state it. ISO and other year-first dates need no statement unless
their middle part exceeds 12: then the column is year-day-month. Two-digit years up to 68 are of this century.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sfactl.api.errors import DataError
from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Expression, literal, name
from sfactl.leads.files.options import DayMonth
from sfactl.leads.model import Target

DATE_TYPES = frozenset({"date", "timestamp"})
_SEPARATED = r"^\d+-\d+-\d+"
_TIME = r"(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)"
_OFFSET = r"(?:\d|[AaPp][Mm])\s*(Z|[+-]\d{2}:?\d{2})$"
_NAMED = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d-%b-%y", "%d-%b-%Y", "%d-%B-%Y", "%Y-%b-%d", "%a %b %d %Y")
_TOKENS = (
    ("YYYY", "%Y"), ("YY", "%y"), ("MMMM", "%B"), ("MMM", "%b"), ("MM", "%m"), ("DD", "%d"), ("HH", "%H"),
    ("hh", "%I"), ("mm", "%M"), ("mi", "%M"), ("ss", "%S"), ("SSS", "%g"), ("M", "%m"), ("D", "%d"),
    ("H", "%H"), ("h", "%I"), ("AM", "%p"), ("PM", "%p"), ("A", "%p"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the values of one column say about the order of day and month."""

    first_over: bool
    second_over: bool
    day_month_values: int
    example: str | None
    middle_over: bool
    last_over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The orders of a column: of its day-month values and of its year-first values."""

    day_month: str
    year_first: str = "ymd"
    note: str | None = None


def decide_orders(
    query: Query, dates: Mapping[str, tuple[Target, str]], stated: DayMonth | None, source: str
) -> dict[str, Order]:
    """The order of each date field; ``dates`` maps a field to its target and the SQL of its text.

    Raises `DataError` where the file leaves it open and the mapping does not say.
    """
    found = {
        f: _evidence(query, _distinct(query, f, text, source))
        for f, (t, text) in dates.items()
        if t.constant is None and not t.transform.format
    }
    settled = {f: o for f, e in found.items() if (o := _settled(e))}
    shared = set(settled.values())
    orders: dict[str, Order] = {}
    for field, evidence in found.items():
        target = dates[field][0]
        year_first, note = _year_first(evidence, target, stated)
        day_month = stated if stated in ("dmy", "mdy") else settled.get(field)
        if day_month is None and evidence.day_month_values:
            if len(shared) != 1:
                raise _open(target, evidence)
            day_month = next(iter(shared))
            by = ", ".join(f for f, o in settled.items() if o == day_month)
            note = f"{_named(target)}: read {_words(day_month)} like {by}, which shows it"
        if day_month == "mixed":
            raise _open(target, evidence)
        if field in settled and stated is None:
            note = f"{_named(target)}: dates are {_words(str(day_month))} ({evidence.example})"
        orders[field] = Order(day_month=day_month or "dmy", year_first=year_first, note=note)
    return orders


def _settled(evidence: Evidence) -> str | None:
    if evidence.first_over and evidence.second_over:
        return "mixed"
    return "dmy" if evidence.first_over else "mdy" if evidence.second_over else None


def _year_first(evidence: Evidence, target: Target, stated: DayMonth | None) -> tuple[str, str | None]:
    if stated in ("ymd", "ydm"):
        return stated, None
    if evidence.middle_over and not evidence.last_over:
        return "ydm", f"{_named(target)}: dates are year-day-month, since the middle part exceeds 12"
    return "ymd", None


def _distinct(query: Query, field: str, text: str, source: str) -> str:
    """The distinct texts of a column, as a table with the column ``t``."""
    table = f"dates_{field}"
    query.run(f"create or replace temp table {table} as select distinct {text} as t from {source}")
    return table


def _evidence(query: Query, table: str) -> Evidence:
    # Values whose day and month are the same number are right in either order and prove nothing.
    sql = f"""
    select coalesce(max(a) > 12, false), coalesce(max(b) > 12, false),
           count(*) filter (where a <= 12 and b <= 12 and a <> b),
           coalesce(min(t) filter (where a > 12 or b > 12), min(t) filter (where a <> b))
    from (select t, try_cast(split_part(d, '-', 1) as int) as a, try_cast(split_part(d, '-', 2) as int) as b
          from (select t, regexp_extract({_dashed("t")}, '^\\d{{1,2}}-\\d{{1,2}}-\\d{{2,4}}') as d
                from {table})
          where d <> '' and try_cast(split_part(d, '-', 1) as int) <= 31)
    """
    answer = query.one(sql) or (False, False, 0, None)
    first = query.one(
        f"select coalesce(max(try_cast(split_part(d, '-', 2) as int)) > 12, false),"
        f" coalesce(max(try_cast(split_part(d, '-', 3) as int)) > 12, false)"
        f" from (select regexp_extract({_dashed('t')}, '^\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}') as d"
        f" from {table}) where d <> ''"
    ) or (False, False)
    return Evidence(
        first_over=answer[0],
        second_over=answer[1],
        day_month_values=answer[2],
        example=answer[3],
        middle_over=first[0],
        last_over=first[1],
    )


def _open(target: Target, evidence: Evidence) -> DataError:
    why = (
        "has some dates that are only day-month and some that are only month-day"
        if evidence.first_over and evidence.second_over
        else "has dates that can be day-month or month-day, such as"
    )
    return DataError(
        f"column {_named(target)!r} {why} {evidence.example!r}",
        hint='State it in the mapping: [file] day_month_order = "dmy" or "mdy",'
        f' or [transforms] {target.field} = "DD/MM/YYYY"',
    )


def _words(order: str) -> str:
    return {"dmy": "day-month-year", "mdy": "month-day-year", "mixed": "mixed"}[order]


def _named(target: Target) -> str:
    return target.names[0] if target.names else target.field


def _dashed(text: str) -> str:
    """SQL: the separators of a date become dashes, whatever they are; what comes behind it stays."""
    parts = r"^(?:民國|民国)?\s*(\d{1,4})\s*[年./-]\s*(\d{1,2})\s*[月./-]\s*(\d{1,4})日?"
    return f"regexp_replace({text}, {literal(parts)}, '\\1-\\2-\\3')"


def date_expression(target: Target, text: str, order: Order | None, zone: str) -> Expression:
    """SQL for a date, or for a UTC time; times without an offset are of ``zone``."""
    if target.transform.calendar == "roc":
        day = _roc(text)
    elif (target.transform.format or "").lower() == "excel":
        day = f"date '1899-12-30' + cast(floor(try_cast({text} as double)) as integer)"
    elif target.transform.format:
        day = f"try_strptime({text}, {literal(_strptime(target.transform.format))})"
    else:
        day = _day(text, order or Order(day_month="dmy"))
    step = name(f"_at_{target.field}")
    value = f"cast({day} as date)" if target.type == "date" else _moment(target, text, day, zone)
    kind = "date" if target.type == "date" else "time"
    problem = f"case when s.{step} is null and {text} is not null then '{target.field} is not a {kind}' end"
    return Expression(value=f"s.{step}", problem=problem, steps={step: value})


def _day(text: str, order: Order) -> str:
    dashed = _dashed(text)
    part = f"regexp_extract({dashed}, '{_SEPARATED}')"
    year = "%Y-%d-%m" if order.year_first == "ydm" else "%Y-%m-%d"
    long, short = ("%d-%m-%Y", "%d-%m-%y") if order.day_month == "dmy" else ("%m-%d-%Y", "%m-%d-%y")
    named = ", ".join(literal(f) for f in _NAMED)
    words = f"trim(regexp_replace(replace(regexp_replace({text}, '{_TIME}.*$', ''), ',', ' '), '\\s+', ' ', 'g'))"
    return (
        f"case when {dashed} ~ '\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}(?:\\D.*)?' then try_strptime({part}, '{year}')"
        f" when {dashed} ~ '\\d{{1,2}}-\\d{{1,2}}-\\d{{4}}(?:\\D.*)?' then try_strptime({part}, '{long}')"
        f" when {dashed} ~ '\\d{{1,2}}-\\d{{1,2}}-\\d{{2}}(?:\\D.*)?' then try_strptime({part}, '{short}')"
        f" when {text} ~ '\\d{{8}}(?:[ T]?\\d{{4,6}})?' then try_strptime(left({text}, 8), '%Y%m%d')"
        f" when {text} ~ '.*[A-Za-z]{{3}}.*' then try_strptime({words}, [{named}]) end"
    )


def _roc(text: str) -> str:
    part = f"regexp_extract({_dashed(text)}, '^\\d{{2,3}}-\\d{{1,2}}-\\d{{1,2}}')"
    plain = f"regexp_extract({text}, '^\\d{{6,7}}$')"
    year = f"try_cast(split_part({part}, '-', 1) as int) + 1911"
    dashed = f"concat({year}, '-', split_part({part}, '-', 2), '-', split_part({part}, '-', 3))"
    packed = f"concat(try_cast({plain}[:-5] as int) + 1911, {plain}[-4:])"
    return f"case when {part} <> '' then try_strptime({dashed}, '%Y-%m-%d') else try_strptime({packed}, '%Y%m%d') end"


def _moment(target: Target, text: str, day: str, zone: str) -> str:
    stated = target.transform.format or ""
    if stated and any(t in stated for t in ("H", "h", "%H", "%I")):
        local = day
    else:
        clock = f"regexp_extract({text}, '{_TIME}')"
        packed = f"regexp_extract({text}, '^\\d{{8}}[ T]?(\\d{{4,6}})$', 1)"
        hour = f"try_cast(split_part({clock}, ':', 1) as int)"
        noon = f"(lower({text}) ~ '.*[0-9] ?pm.*' or {text} ~ '.*下午.*') and {hour} < 12"
        midnight = f"lower({text}) ~ '.*[^0-9]12:[0-9:.]+ ?am.*'"
        seconds = (
            f"case when {clock} <> '' then epoch(try_cast({clock} as time)) + case when {noon} then 43200 else 0 end"
            f" - case when {midnight} then 43200 else 0 end"
            f" when {packed} <> '' then epoch(try_cast(concat({packed}[1:2], ':', {packed}[3:4], ':',"
            f" coalesce(nullif({packed}[5:6], ''), '00')) as time)) else 0 end"
        )
        local = f"cast({day} as timestamp) + to_microseconds(cast(({seconds}) * 1000000 as bigint))"
    offset = f"regexp_extract({text}, '{_OFFSET}', 1)"
    hours = f"try_cast({offset}[1:3] as int) * 60"
    minutes = f"(case when {offset}[1:1] = '-' then -1 else 1 end) * try_cast({offset}[-2:] as int)"
    shifted = f"({local}) - to_minutes(coalesce({hours} + {minutes}, 0))"
    utc = f"timezone('UTC', timezone({literal(zone)}, {local}))"
    return f"case when {offset} = 'Z' then {local} when {offset} <> '' then {shifted} else {utc} end"


def _strptime(said: str) -> str:
    """``DD/MM/YYYY`` as strptime's notation; what has a % already is taken as it is."""
    if "%" in said:
        return said
    pattern = "|".join(t for t, _ in _TOKENS)
    tokens = dict(_TOKENS)
    return re.sub(pattern, lambda m: tokens[m[0]], said)
