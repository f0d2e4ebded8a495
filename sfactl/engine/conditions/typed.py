"""Values while they are checked: columns and results are SQL, literals stay unbound until a neighbour types them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from sqlglot import exp

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.kinds import DATE, DOUBLE, NULL, TEXT, TIME, YES_NO, Kind, common_kind, exact, sql_type
from sfactl.engine.conditions.plan import Plan
from sfactl.engine.conditions.source import Source

LITERAL_DIGITS = 18
SMALLEST_INT, LARGEST_INT = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One value: its kind, the node it comes from, and either SQL or, for a literal, the Python value.

    ``column`` is the entity's column where it is nothing but one.
    """

    kind: Kind
    node: exp.Expr
    sql: str = ""
    literal: object = None
    column: str | None = None

    @property
    def is_literal(self) -> bool:
        """Whether the value is known without looking at data."""
        return not self.sql


def number_literal(node: exp.Expr, text: str, source: Source) -> Typed:
    """A number as written: whole and decimal numbers stay exact, an exponent makes a double."""
    if "e" in text.lower():
        value = float(text)
        if not math.isfinite(value):
            raise source.error(f"the number {text} is too large", node=node)
        return Typed(kind=DOUBLE, node=node, literal=value)
    digits = Decimal(text)
    scale = max(0, -int(digits.as_tuple().exponent))
    precision = max(len(digits.as_tuple().digits), scale, 1)
    if precision > LITERAL_DIGITS:
        raise source.error(f"the number {text} has more than {LITERAL_DIGITS} digits", node=node)
    value_exact: int | Decimal = digits if scale else int(digits)
    return Typed(kind=Kind("number", precision, scale), node=node, literal=value_exact)


def negated(value: Typed) -> Typed:
    """A number literal with its sign turned."""
    number = value.literal
    if not isinstance(number, int | float | Decimal):
        raise TypeError("only number literals are negated")
    return replace(value, literal=-number)


def sql_of(value: Typed, plan: Plan) -> str:
    """The value as SQL, bound as a parameter where it is a literal."""
    if not value.is_literal:
        return value.sql
    if value.kind == NULL:
        return "null"
    if value.kind == YES_NO:
        return "true" if value.literal else "false"
    return plan.bind(value.literal, value.kind)


def number_sql(value: Typed, kind: Kind, plan: Plan) -> str:
    """The number as SQL, cast so that every engine computes with the same digits."""
    if value.is_literal and not kind.exact and isinstance(value.literal, int | float | Decimal):
        return plan.bind(float(value.literal), DOUBLE)
    if value.kind == kind and not value.is_literal and kind.precision not in (10, 19):
        return value.sql
    target = kind if not kind.exact else exact(max(value.kind.precision or 1, 1), value.kind.scale)
    return f"cast({sql_of(value, plan)} as {sql_type(target)})"


def as_moment(value: Typed, kind: Kind, source: Source, zone: str) -> Typed:
    """A text literal read as the date or time that its neighbour is; a time without a zone is one of ``zone``."""
    if value.kind != TEXT or not value.is_literal:
        return value
    text = str(value.literal)
    try:
        moment: date = date.fromisoformat(text) if kind == DATE else datetime.fromisoformat(text)
    except ValueError:
        example = "2026-01-31" if kind == DATE else "2026-01-31 or 2026-01-31 09:30"
        raise source.error(f"{text!r} is not {kind.phrase}. Write it as {example}", node=value.node) from None
    if isinstance(moment, datetime):
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else zones.instant(moment, zone)
    return replace(value, kind=kind, literal=moment)


def as_time(value: Typed, plan: Plan) -> Typed:
    """A date as the time at its first moment."""
    if value.kind != DATE:
        return value
    if isinstance(value.literal, date):
        return replace(value, kind=TIME, literal=zones.midnight(value.literal, plan.settings.zone))
    sql = zones.instant_sql(f"cast({value.sql} as timestamp)", plan)
    return replace(value, kind=TIME, sql=sql, column=None)


def comparable(left: Typed, right: Typed, source: Source, plan: Plan) -> tuple[str, str]:
    """Both values as SQL of kinds that compare. Raises `ConditionError` where they do not."""
    if left.kind == NULL or right.kind == NULL:
        node = left.node if left.kind == NULL else right.node
        raise source.error('nothing equals null. Write "is null" or "is not null"', node=node)
    if right.kind in (DATE, TIME):
        left = as_moment(left, right.kind, source, plan.settings.zone)
    if left.kind in (DATE, TIME):
        right = as_moment(right, left.kind, source, plan.settings.zone)
    if {left.kind, right.kind} == {DATE, TIME}:
        left, right = as_time(left, plan), as_time(right, plan)
    if left.kind.name != right.kind.name:
        raise mismatch(left, right, source)
    if left.kind.name == "number":
        return _comparable_numbers(left, right, plan)
    return sql_of(left, plan), sql_of(right, plan)


def mismatch(left: Typed, right: Typed, source: Source) -> Exception:
    """The error that two values cannot be compared or put together."""
    said = f"{source.slice(left.node)} is {left.kind.phrase}, {source.slice(right.node)} is {right.kind.phrase}"
    hint = ""
    if {left.kind.name, right.kind.name} == {"number", "text"}:
        text = left if left.kind == TEXT else right
        if text.is_literal:
            hint = ". Write numbers without quotes" if _is_number(str(text.literal)) else ""
        elif not (right if text is left else left).column:
            hint = ". Write text in single quotes"
    return source.error(said + hint, node=right.node)


def _comparable_numbers(left: Typed, right: Typed, plan: Plan) -> tuple[str, str]:
    common = common_kind(left.kind, right.kind)
    if common.exact:
        return sql_of(left, plan), sql_of(right, plan)
    return _as_double(left, plan), _as_double(right, plan)


def _as_double(value: Typed, plan: Plan) -> str:
    if value.kind == DOUBLE and not value.is_literal:
        return value.sql
    return number_sql(value, DOUBLE, plan)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
