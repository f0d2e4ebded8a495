"""The functions a condition may call on single values. Dates and times are read in UTC; weeks begin on Monday."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions.arithmetic import as_exact, number
from sfactl.engine.conditions.kinds import BIGINT, DATE, DOUBLE, NULL, TEXT, TIME, Kind, common_kind, exact, sql_type
from sfactl.engine.conditions.model import Window
from sfactl.engine.conditions.typed import Typed, as_moment, comparable, mismatch, sql_of
from sfactl.engine.periods import Period, PeriodError, parse_period

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

Handler = Callable[["Checker", exp.Expr], Typed]

PARTS: Mapping[type[exp.Expr], str] = {
    exp.Year: "year",
    exp.Quarter: "quarter",
    exp.Month: "month",
    exp.Week: "week",
    exp.Day: "day",
    exp.Hour: "hour",
    exp.DayOfWeekIso: "isodow",
}
TEXT_FUNCTIONS: Mapping[type[exp.Expr], tuple[str, Kind]] = {
    exp.Lower: ("lower", TEXT),
    exp.Upper: ("upper", TEXT),
    exp.Length: ("length", BIGINT),
    exp.Trim: ("trim", TEXT),
}


def value(checker: Checker, node: exp.Expr) -> Typed | None:
    """The result of a function call, or None where the function is not allowed."""
    if type(node) in TEXT_FUNCTIONS:
        return _text_function(checker, node)
    if type(node) in PARTS:
        return _part(checker, node, node.this, PARTS[type(node)])
    if isinstance(node, exp.Anonymous):
        handler = _BY_NAME.get(str(node.this).lower())
        return handler(checker, node) if handler else None
    by_type = _BY_TYPE.get(type(node))
    return by_type(checker, node) if by_type else None


def arguments(checker: Checker, node: exp.Expr, least: int, most: int) -> list[exp.Expr]:
    """The arguments of a call by name, which must be between ``least`` and ``most``."""
    found = list(node.expressions)
    if least <= len(found) <= most:
        return found
    wanted = str(least) if least == most else f"{least} to {most}"
    name = str(node.this).lower()
    raise checker.source.error(
        f"{name}() takes {wanted} argument{'' if wanted == '1' else 's'}, not {len(found)}", node=node
    )


def text(checker: Checker, node: exp.Expr, what: str) -> Typed:
    """The node as text, as needed for ``what``."""
    found = checker.value(node)
    if found.kind != TEXT:
        raise checker.source.error(
            f"{what} needs text, but {checker.source.slice(node)} is {found.kind.phrase}", node=node
        )
    return found


def moment(checker: Checker, node: exp.Expr, what: str) -> Typed:
    """The node as a date or a time, as needed for ``what``."""
    found = checker.value(node)
    if found.kind not in (DATE, TIME):
        raise checker.source.error(
            f"{what} needs a date or a time, but {checker.source.slice(node)} is {found.kind.phrase}", node=node
        )
    return found


def window(checker: Checker, node: exp.Expr, column: Typed) -> tuple[str, date]:
    """``column`` between now less the period in ``node`` and now, both included, and the first moment of it."""
    written = checker.text_literal(node, "within()")
    now = checker.plan.settings.now
    try:
        period = parse_period(written)
        last: date = now.date() if column.kind == DATE else now
        first = period.before(last)
    except PeriodError as err:
        raise checker.source.error(str(err), node=node) from None
    _remember(checker, column, period)
    sql = sql_of(column, checker.plan)
    low, high = checker.plan.bind(first, column.kind), checker.plan.bind(last, column.kind)
    return f"({sql} >= {low} and {sql} <= {high})", first


def _remember(checker: Checker, column: Typed, period: Period) -> None:
    """Keep which rows can enter or leave a window when time passes."""
    plain = re.fullmatch(r'([re])\."([^"]+)"', column.sql)
    if plain is None:
        checker.plan.clocked = True
        return
    relation = checker.scope.relation
    own = relation.dataset if plain[1] == "r" and relation is not None else checker.plan.settings.entity.dataset
    checker.plan.windows.add(Window(dataset=own, column=plain[2], is_date=column.kind == DATE, period=period))


def _text_function(checker: Checker, node: exp.Expr) -> Typed:
    name, kind = TEXT_FUNCTIONS[type(node)]
    extra = [key for key, arg in node.args.items() if arg and key not in ("this", "binary")]
    if extra:
        raise checker.source.error(f"{name}() takes 1 argument", node=node)
    found = text(checker, node.this, f"{name}()")
    return Typed(kind=kind, node=node, sql=f"{name}({sql_of(found, checker.plan)})")


def _part(checker: Checker, node: exp.Expr, of: exp.Expr, part: str) -> Typed:
    found = moment(checker, of, f"{part}()")
    if part == "hour" and found.kind == DATE:
        raise checker.source.error("hour() needs a time, but this is a date", node=of)
    kind = sql_type(found.kind)
    sql = sql_of(found, checker.plan)
    typed = f"cast({sql} as {kind})" if found.is_literal else sql
    return Typed(kind=Kind("number", 19), node=node, sql=f"{part}({typed})")


def _extract(checker: Checker, node: exp.Expr) -> Typed:
    part = str(node.this.name).lower()
    if part not in PARTS.values():
        raise checker.source.error(f"extract knows {', '.join(PARTS.values())}, not {part}", node=node)
    return _part(checker, node, node.expression, part)


def _round(checker: Checker, node: exp.Expr) -> Typed:
    found = number(checker, node.this, "round()")
    digits = node.args.get("decimals")
    if digits is not None and not (isinstance(digits, exp.Literal) and str(digits.this).isdigit()):
        raise checker.source.error("round() needs a whole number of decimals", node=digits)
    places = min(int(str(digits.this)) if digits is not None else 0, 18)
    if not found.kind.exact:
        return Typed(kind=DOUBLE, node=node, sql=f"round({sql_of(found, checker.plan)}, {places})")
    kind = exact((found.kind.precision or 1) + 1, found.kind.scale)
    scale = min(places, found.kind.scale)
    sql = f"cast(round({as_exact(found, checker)}, {scale}) as {sql_type(kind)})"
    return Typed(kind=kind, node=node, sql=sql)


def _abs(checker: Checker, node: exp.Expr) -> Typed:
    found = number(checker, node.this, "abs()")
    sql = as_exact(found, checker) if found.kind.exact else sql_of(found, checker.plan)
    return Typed(kind=found.kind, node=node, sql=f"abs({sql})")


def _coalesce(checker: Checker, node: exp.Expr) -> Typed:
    values = [checker.value(node.this), *(checker.value(item) for item in node.expressions)]
    values = [v for v in values if v.kind != NULL]
    if not values:
        return Typed(kind=NULL, node=node)
    first = next((v for v in values if v.kind in (DATE, TIME)), values[0])
    values = [as_moment(v, first.kind, checker.source) if first.kind in (DATE, TIME) else v for v in values]
    kind = first.kind
    for found in values:
        if found.kind.name != kind.name:
            raise mismatch(first, found, checker.source)
        if kind.name == "number":
            kind = common_kind(kind, found.kind)
    parts = [f"cast({sql_of(v, checker.plan)} as {sql_type(kind)})" for v in values]
    return Typed(kind=kind, node=node, sql=f"coalesce({', '.join(parts)})")


def _nullif(checker: Checker, node: exp.Expr) -> Typed:
    left, right = checker.value(node.this), checker.value(node.expression)
    one, other = comparable(left, right, checker.source, checker.plan)
    kind = left.kind
    return Typed(
        kind=kind, node=node, sql=f"(case when {one} = {other} then null else {sql_of(left, checker.plan)} end)"
    )


def _concat(checker: Checker, node: exp.Expr) -> Typed:
    parts = [text(checker, part, "||") for part in (node.this, node.expression)]
    return Typed(kind=TEXT, node=node, sql=f"({' || '.join(sql_of(part, checker.plan) for part in parts)})")


def _contains(checker: Checker, node: exp.Expr) -> Typed:
    """Text within text. Width and compatibility forms are folded in the literal (stored text is folded at import),
    case by the engine's lower() on both sides."""
    found = text(checker, node.this, "contains()")
    wanted = checker.text_literal(node.expression, "contains()")
    folded = unicodedata.normalize("NFKC", wanted)
    part = checker.plan.bind(folded, TEXT)
    return checker.yes_no(node, f"contains(lower({sql_of(found, checker.plan)}), lower({part}))")


def _starts_with(checker: Checker, node: exp.Expr) -> Typed:
    found = text(checker, node.this, "starts_with()")
    folded = unicodedata.normalize("NFKC", checker.text_literal(node.expression, "starts_with()"))
    part = checker.plan.bind(folded, TEXT)
    return checker.yes_no(node, f"starts_with(lower({sql_of(found, checker.plan)}), lower({part}))")


_UNPORTABLE = re.compile(r"\(\?(?!:|i\))|\\[1-9kGXRK]|[*+?}]\+")


def _regexp(checker: Checker, node: exp.Expr) -> Typed:
    """A regular expression of the part that RE2 and Java share: no look-around, no back-references."""
    found = text(checker, node.this, "regexp_matches()")
    if node.args.get("flag"):
        raise checker.source.error("regexp_matches() takes 2 arguments", node=node)
    pattern = checker.text_literal(node.expression, "regexp_matches()")
    try:
        re.compile(pattern)
    except re.error as err:
        raise checker.source.error(f"the pattern does not parse: {err}", node=node.expression) from None
    if _UNPORTABLE.search(pattern):
        raise checker.source.error("the pattern uses look-around, back-references or the like", node=node.expression)
    return checker.yes_no(node, f"regexp_matches({sql_of(found, checker.plan)}, {checker.plan.bind(pattern, TEXT)})")


def _within(checker: Checker, node: exp.Expr) -> Typed:
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


def _days_since(checker: Checker, node: exp.Expr) -> Typed:
    found = moment(checker, arguments(checker, node, 1, 1)[0], "days_since()")
    checker.plan.clocked = True
    today = checker.plan.bind(checker.plan.settings.now.date(), DATE)
    sql = f"date_diff('day', cast({sql_of(found, checker.plan)} as date), cast({today} as date))"
    return Typed(kind=BIGINT, node=node, sql=sql)


def _today(checker: Checker, node: exp.Expr) -> Typed:
    checker.plan.clocked = True
    return Typed(kind=DATE, node=node, literal=checker.plan.settings.now.date())


def _now(checker: Checker, node: exp.Expr) -> Typed:
    checker.plan.clocked = True
    return Typed(kind=TIME, node=node, literal=checker.plan.settings.now)


def _elsewhere(where: str, checker: Checker, node: exp.Expr) -> Typed:
    raise checker.source.error(f"{str(node.this).lower()}() {where}", node=node)


_BY_TYPE: Mapping[type[exp.Expr], Handler] = {
    exp.Extract: _extract,
    exp.Round: _round,
    exp.Abs: _abs,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.DPipe: _concat,
    exp.Contains: _contains,
    exp.StartsWith: _starts_with,
    exp.RegexpLike: _regexp,
    exp.CurrentDate: _today,
    exp.CurrentTimestamp: _now,
}
_BY_NAME: Mapping[str, Handler] = {
    "within": _within,
    "days_since": _days_since,
    "now": _now,
    "has": partial(_elsewhere, "does not go inside an aggregate"),
    "member_of": partial(_elsewhere, "does not go inside an aggregate"),
    "tag": partial(_elsewhere, "does not go inside an aggregate"),
}
