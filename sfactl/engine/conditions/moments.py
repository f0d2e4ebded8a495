"""Dates and times in conditions: windows that end now, parts of dates, anniversaries, moments so long before or after.

Days are those of the workspace's zone, weeks begin on Monday, and everything is told from now, anew each time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.arguments import arguments, moment
from sfactl.engine.conditions.kinds import BIGINT, DATE, TIME, sql_type
from sfactl.engine.conditions.model import Window
from sfactl.engine.conditions.typed import Typed, sql_of
from sfactl.engine.periods import DAY_S, Period, PeriodError, parse_period

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

PARTS: Mapping[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.Day: "day",
    exp.Hour: "hour",
    exp.DayOfWeekIso: "isodow",
}
LEAP_DAY = 229
"""29 February as month and day."""


def window(checker: Checker, node: exp.Expr, column: Typed) -> tuple[str, date]:
    """``column`` between now less the period in ``node`` and now, both included, and the first moment of it."""
    written = checker.text_literal(node, "within()")
    settings = checker.plan.settings
    try:
        period = parse_period(written)
        last: date = settings.now
        first: date = zones.before(period, settings.now, settings.zone)
        if column.kind == DATE:
            last = zones.day_of(settings.now, settings.zone)
            first = period.before(last)
    except PeriodError as err:
        raise checker.source.error(str(err), node=node) from None
    _remember(checker, column, period)
    sql = sql_of(column, checker.plan)
    low, high = checker.plan.bind(first, column.kind), checker.plan.bind(last, column.kind)
    return f"({sql} >= {low} and {sql} <= {high})", first


def within(checker: Checker, node: exp.Expr) -> Typed:
    """``within('90 days')`` about a row's own time, or ``within('90 days', field)``."""
    found = arguments(checker, node, 1, 2)
    column = moment(checker, found[1], "within()") if len(found) == 2 else checker.scope.time(node)
    if column is None:
        relation = checker.scope.relation
        where = f"{relation.dataset} has no time of its own" if relation else "within('…') alone goes inside a FILTER"
        raise checker.source.error(f"{where}. Write within('…', field)", node=node)
    return checker.yes_no(node, window(checker, found[0], column)[0])


def own_window_start(checker: Checker, node: exp.Expr) -> datetime | None:
    """The first moment of ``within('…')`` on the relation's own time, or None where the node is something else."""
    if not isinstance(node, exp.Anonymous) or str(node.this).lower() != "within" or len(node.expressions) != 1:
        return None
    column = checker.scope.time(node)
    first = window(checker, node.expressions[0], column)[1] if column else None
    return first if isinstance(first, datetime) else None


def part(checker: Checker, node: exp.Expr, of: exp.Expr, name: str) -> Typed:
    """One part of a date or time, such as its month."""
    found = moment(checker, of, f"{name}()")
    if name == "hour" and found.kind == DATE:
        raise checker.source.error("hour() needs a time, but this is a date", node=of)
    sql = sql_of(found, checker.plan)
    typed = f"cast({sql} as {sql_type(found.kind)})" if found.is_literal else sql
    shown = zones.wall_sql(typed, checker.plan) if found.kind == TIME else typed
    return Typed(kind=BIGINT, node=node, sql=f"{name}({shown})")


def extract(checker: Checker, node: exp.Expr) -> Typed:
    """``extract(month from birth_date)``."""
    name = str(node.this.name).lower()
    if name not in PARTS.values():
        raise checker.source.error(f"extract knows {', '.join(PARTS.values())}, not {name}", node=node)
    return part(checker, node, node.expression, name)


def day(checker: Checker, node: exp.Expr) -> Typed:
    """``date(x)``, the day of a time."""
    if node.args.get("zone") or node.args.get("expressions"):
        raise checker.source.error("date() takes 1 argument", node=node)
    found = moment(checker, node.this, "date()")
    if found.kind == DATE:
        return found
    return Typed(kind=DATE, node=node, sql=_day_sql(checker, found))


def days_since(checker: Checker, node: exp.Expr) -> Typed:
    """Whole days from the day of a date or time until today."""
    found = moment(checker, arguments(checker, node, 1, 1)[0], "days_since()")
    today = checker.plan.bind(_today(checker), DATE)
    sql = f"date_diff('day', {_day_sql(checker, found)}, cast({today} as date))"
    return Typed(kind=BIGINT, node=node, sql=sql)


def today(checker: Checker, node: exp.Expr) -> Typed:
    """The day for which the condition is asked."""
    return Typed(kind=DATE, node=node, literal=_today(checker))


def now(checker: Checker, node: exp.Expr) -> Typed:
    """The time for which the condition is asked."""
    checker.plan.clocked = True
    return Typed(kind=TIME, node=node, literal=checker.plan.settings.now)


def anniversary(checker: Checker, node: exp.Expr) -> Typed:
    """Whether a past day comes round today, or within the period from today on, both ends included.

    Who was born on 29 February has the anniversary on the 28th in years without a 29th.
    """
    found = arguments(checker, node, 1, 2)
    subject = moment(checker, found[0], "anniversary()")
    first = last = _today(checker)
    if len(found) == 2:
        written = checker.text_literal(found[1], "anniversary()")
        try:
            last = parse_period(written).after(first)
        except PeriodError as err:
            raise checker.source.error(str(err), node=found[1]) from None
    plan = checker.plan
    sql = f"cast({_day_sql(checker, subject)} as date)"
    number = f"(month({sql}) * 100 + day({sql}))"
    days = " or ".join(
        f"{number} between {plan.bind(low, BIGINT)} and {plan.bind(high, BIGINT)}" for low, high in spans(first, last)
    )
    return checker.yes_no(node, f"({sql} < {plan.bind(first, DATE)} and ({days}))")


def spans(first: date, last: date) -> list[tuple[int, int]]:
    """The days of the year from ``first`` to ``last`` as ranges of month * 100 + day."""
    if last >= first.replace(year=first.year + 1, day=min(first.day, 28)) - timedelta(days=1):
        return [(101, 1231)]
    low, high = (day.month * 100 + day.day for day in (first, last))
    if high == LEAP_DAY - 1 and (last + timedelta(days=1)).month == 3:
        high = LEAP_DAY
    return [(low, high)] if first.year == last.year else [(low, 1231), (101, high)]


def shifted(checker: Checker, node: exp.Binary) -> Typed:
    """A date or time plus or minus an interval, such as ``today() - interval '30 days'``."""
    found = moment(checker, node.this, "+ interval" if isinstance(node, exp.Add) else "- interval")
    sign = 1 if isinstance(node, exp.Add) else -1
    try:
        period = parse_period(_written(checker, node.expression))
        if found.kind == DATE and period.seconds % DAY_S:
            raise PeriodError(f"'{period}' is not a whole number of days, as a date needs")
        if found.is_literal:
            return Typed(kind=found.kind, node=node, literal=_moved(checker, found, period, sign))
    except PeriodError as err:
        raise checker.source.error(str(err), node=node.expression) from None
    return Typed(kind=found.kind, node=node, sql=shifted_sql(checker, found, period, sign))


def shifted_sql(checker: Checker, found: Typed, period: Period, sign: int) -> str:
    """SQL of a date or time, moved."""
    months, seconds = f"interval '{sign * period.months}' month", f"interval '{sign * period.seconds}' second"
    sql = found.sql
    if found.kind == DATE:
        days = f"interval '{sign * period.seconds // DAY_S}' day"
        return f"cast({sql} + {months} + {days} as date)"
    if period.months:
        sql = zones.instant_sql(f"({zones.wall_sql(sql, checker.plan)} + {months})", checker.plan)
    return f"({sql} + {seconds})" if period.seconds or not period.months else sql


def _moved(checker: Checker, found: Typed, period: Period, sign: int) -> date:
    at = found.literal
    if isinstance(at, datetime):
        move = zones.after if sign > 0 else zones.before
        return move(period, at, checker.plan.settings.zone)
    assert isinstance(at, date)
    return period.after(at) if sign > 0 else period.before(at)


def _written(checker: Checker, node: exp.Expr) -> str:
    """The period of an INTERVAL: ``'30 days'``, ``30 days`` or ``'30' day``."""
    amount, unit = node.this, node.args.get("unit")
    if not isinstance(amount, exp.Literal):
        raise checker.source.error("an interval is a number and a unit: interval '30 days'", node=node)
    return f"{amount.this} {unit.name.lower()}" if unit is not None else str(amount.this)


def _today(checker: Checker) -> date:
    checker.plan.clocked = True
    return zones.day_of(checker.plan.settings.now, checker.plan.settings.zone)


def _day_sql(checker: Checker, found: Typed) -> str:
    sql = sql_of(found, checker.plan)
    typed = f"cast({sql} as {sql_type(found.kind)})" if found.is_literal else sql
    return zones.day_sql(typed, found.kind, checker.plan)


def _remember(checker: Checker, column: Typed, period: Period) -> None:
    """Keep which rows can enter or leave a window when time passes."""
    plain = re.fullmatch(r'([re])\."([^"]+)"', column.sql)
    if plain is None:
        checker.plan.clocked = True
        return
    relation, settings = checker.scope.relation, checker.plan.settings
    own = relation.dataset if plain[1] == "r" and relation is not None else settings.entity.dataset
    is_date = column.kind == DATE
    found = Window(dataset=own, column=plain[2], is_date=is_date, period=period, zone=settings.zone)
    checker.plan.windows.add(found)
