"""The functions a condition may call on single values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions import moments, texts
from sfactl.engine.conditions.arguments import text
from sfactl.engine.conditions.arithmetic import as_exact, number
from sfactl.engine.conditions.kinds import BIGINT, DATE, DOUBLE, NULL, TEXT, TIME, Kind, common_kind, exact, sql_type
from sfactl.engine.conditions.typed import Typed, as_moment, comparable, mismatch, sql_of

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

Handler = Callable[["Checker", exp.Expr], Typed]

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
    if type(node) in moments.PARTS:
        return moments.part(checker, node, node.this, moments.PARTS[type(node)])
    if isinstance(node, exp.Anonymous):
        handler = _BY_NAME.get(str(node.this).lower())
        return handler(checker, node) if handler else None
    by_type = _BY_TYPE.get(type(node))
    return by_type(checker, node) if by_type else None


def _text_function(checker: Checker, node: exp.Expr) -> Typed:
    name, kind = TEXT_FUNCTIONS[type(node)]
    extra = [key for key, arg in node.args.items() if arg and key not in ("this", "binary")]
    if extra:
        raise checker.source.error(f"{name}() takes 1 argument", node=node)
    found = text(checker, node.this, f"{name}()")
    return Typed(kind=kind, node=node, sql=f"{name}({sql_of(found, checker.plan)})")


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
    values = [
        as_moment(v, first.kind, checker.source, checker.plan.settings.zone) if first.kind in (DATE, TIME) else v
        for v in values
    ]
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


def _elsewhere(where: str, checker: Checker, node: exp.Expr) -> Typed:
    raise checker.source.error(f"{str(node.this).lower()}() {where}", node=node)


_BY_TYPE: Mapping[type[exp.Expr], Handler] = {
    exp.Extract: moments.extract,
    exp.Round: _round,
    exp.Abs: _abs,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.DPipe: _concat,
    exp.Contains: texts.contains,
    exp.StartsWith: texts.starts_with,
    exp.RegexpLike: texts.regexp,
    exp.CurrentDate: moments.today,
    exp.Date: moments.day,
    exp.CurrentTimestamp: moments.now,
}
_BY_NAME: Mapping[str, Handler] = {
    "within": moments.within,
    "days_since": moments.days_since,
    "anniversary": moments.anniversary,
    "equals": texts.equals,
    "matches": texts.matches,
    "now": moments.now,
    "has": partial(_elsewhere, "does not go inside an aggregate"),
    "member_of": partial(_elsewhere, "does not go inside an aggregate"),
    "tag": partial(_elsewhere, "does not go inside an aggregate"),
}

NAMES = (
    *_BY_NAME,
    *(name for name, _ in TEXT_FUNCTIONS.values()),
    *moments.PARTS.values(),
    *("abs", "coalesce", "contains", "date", "extract", "nullif", "regexp_matches", "round", "starts_with", "today"),
    *("count", "sum", "avg", "min", "max", "layer", "followed_by", "preceded_by", "nth"),
)
"""What may be called, for the nearest name."""
