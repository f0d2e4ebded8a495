"""Numbers, money and yes or no. Which sign is the decimal point is decided over the whole column, and told.

A comma before exactly three digits groups thousands unless other values of the column show that it is the decimal sign.
"""

from __future__ import annotations

from dataclasses import dataclass

from sfactl.api.errors import DataError
from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Expression, in_list, name
from sfactl.leads.model import Target

YES = (
    "yes",
    "y",
    "true",
    "t",
    "1",
    "on",
    "是",
    "有",
    "对",
    "對",
    "sim",
    "sí",
    "si",
    "oui",
    "ja",
    "x",
    "✓",
    "✔",
    "はい",
)
NO = (
    "no",
    "n",
    "false",
    "f",
    "0",
    "off",
    "否",
    "无",
    "無",
    "没有",
    "沒有",
    "不是",
    "não",
    "nao",
    "non",
    "nein",
    "いいえ",
)
_MONEY = r"^[A-Z]{1,3}\$?|^(?:NT|US|HK|R|RM)?[$€£¥₩₹￥]|[$€£¥₩₹￥元圓円%]|\s*[A-Z]{3}$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decimal:
    """The decimal sign of a column, and what to tell about it."""

    sign: str
    note: str | None = None


def decimal_sign(query: Query, target: Target, text: str, source: str) -> Decimal:
    """Decide over all values of a column. Raises `DataError` where values contradict each other."""
    if target.transform.decimal:
        return Decimal(sign=target.transform.decimal)
    if target.constant is not None:
        return Decimal(sign=".")
    answer = query.one(
        f"select count(*) filter (where regexp_matches(t, ',\\d{{1,2}}$|,\\d{{4,}}$|\\.\\d{{3}},|^-?0,\\d')),"
        f" count(*) filter (where regexp_matches(t, '\\.\\d{{1,2}}$|\\.\\d{{4,}}$|,\\d{{3}}\\.')),"
        f" count(*) filter (where regexp_matches(t, '\\d,\\d{{3}}$')),"
        f" count(*) filter (where regexp_matches(t, '\\.\\d{{3}}$')),"
        f" min(t) filter (where regexp_matches(t, ',\\d{{1,2}}$|,\\d{{4,}}$|\\.\\d{{3}},|^-?0,\\d'))"
        f" from (select regexp_replace(v, '[^\\d.,-]', '', 'g') as t from (select distinct {text} as v from {source}"
        f" where contains({text}, ',') or contains({text}, '.'))) where t is not null"
    ) or (0, 0, 0, 0, None)
    commas, points, grouped, dotted, example = answer
    named = target.names[0] if target.names else target.field
    if commas and points:
        raise DataError(
            f"column {named!r} has numbers with a decimal comma (such as {example!r}) and with a decimal point",
            hint=f'State it in the mapping: [transforms.{target.field}] decimal = "," (or ".")',
        )
    if commas:
        return Decimal(sign=",", note=f"{named}: the comma is the decimal sign ({example})")
    if grouped and not points:
        return Decimal(sign=".", note=f"{named}: a comma before three digits groups thousands")
    if dotted and not points and target.type == "bigint":
        return Decimal(sign=",", note=f"{named}: a point before three digits groups thousands")
    return Decimal(sign=".")


def number_expression(target: Target, text: str, sign: str) -> Expression:
    """SQL for an integer, number or money value."""
    group = "." if sign == "," else ","
    plain = f"regexp_replace({text}, '{_MONEY}|[\\s''_]', '', 'g')"
    plain = f"replace({plain}, '{group}', '')"
    if sign == ",":
        plain = f"replace({plain}, ',', '.')"
    whole = f"regexp_full_match({text}, '[0-9]{{1,12}}')"
    if target.type == "bigint":
        value = f"try_cast(regexp_replace({plain}, '\\.0+$', '') as bigint)"
        # 12.5 employees would be rounded by the cast; it is a wrong value and not 13.
        value = f"case when contains(regexp_replace({plain}, '\\.0+$', ''), '.') then null else {value} end"
    else:
        value = f"try_cast({plain} as {target.type})"
    # Most numbers are digits and nothing else: they need none of this.
    value = f"case when {whole} then try_cast({text} as {target.type}) else {value} end"
    return _expression(target, text, value, "is not a number")


def boolean_expression(target: Target, text: str) -> Expression:
    """SQL for yes or no."""
    value = (
        f"case when lower({text}) in ({in_list(YES)}) then true when lower({text}) in ({in_list(NO)}) then false end"
    )
    return _expression(target, text, value, "is neither yes nor no")


def _expression(target: Target, text: str, value: str, said: str) -> Expression:
    step = f"s.{name('_n_' + target.field)}"
    problem = f"case when {step} is null and {text} is not null then '{target.field} {said}' end"
    return Expression(value=step, problem=problem, steps={name("_n_" + target.field): value})
