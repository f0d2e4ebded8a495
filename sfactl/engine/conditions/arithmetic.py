"""Numbers in conditions: + - * / % and the sign. Exact where 38 digits suffice; dividing by zero is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions import moments
from sfactl.engine.conditions.kinds import DOUBLE, Kind, added_kind, common_kind, exact, multiplied_kind, sql_type
from sfactl.engine.conditions.typed import Typed, negated, number_sql

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker


def value(checker: Checker, node: exp.Expr) -> Typed | None:
    """The result of an arithmetic node, or None where it is not one."""
    if isinstance(node, exp.Neg):
        return _negative(checker, node)
    if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
        return moments.shifted(checker, node)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return _exact(checker, node)
    if isinstance(node, exp.Div):
        return _division(checker, node, "/")
    if isinstance(node, exp.Mod):
        return _remainder(checker, node)
    return None


def number(checker: Checker, node: exp.Expr, what: str) -> Typed:
    """The node as a number, as needed for ``what``."""
    found = checker.value(node)
    if found.kind.name != "number":
        raise checker.source.error(
            f"{what} needs numbers, but {checker.source.slice(node)} is {found.kind.phrase}", node=node
        )
    return found


def as_exact(found: Typed, checker: Checker) -> str:
    """The number cast to a decimal of its own size, so that whole numbers cannot overflow."""
    kind = exact(found.kind.precision or 1, found.kind.scale)
    return f"cast({number_sql(found, kind, checker.plan)} as {sql_type(kind)})"


def as_double(found: Typed, checker: Checker) -> str:
    """The number as a double."""
    return number_sql(found, DOUBLE, checker.plan)


def _negative(checker: Checker, node: exp.Neg) -> Typed:
    found = number(checker, node.this, "-")
    if found.is_literal:
        return negated(found)
    sql = as_exact(found, checker) if found.kind.exact else found.sql
    return Typed(kind=found.kind, node=node, sql=f"(-{sql})")


def _exact(checker: Checker, node: exp.Binary) -> Typed:
    sign = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}[type(node)]
    left, right = number(checker, node.this, sign), number(checker, node.expression, sign)
    kind = multiplied_kind(left.kind, right.kind) if sign == "*" else added_kind(left.kind, right.kind)
    if not kind.exact:
        return Typed(kind=DOUBLE, node=node, sql=f"({as_double(left, checker)} {sign} {as_double(right, checker)})")
    # Engines differ in how they size a result; the outer cast settles it.
    sql = f"cast({as_exact(left, checker)} {sign} {as_exact(right, checker)} as {sql_type(kind)})"
    return Typed(kind=kind, node=node, sql=sql)


def _division(checker: Checker, node: exp.Expr, sign: str) -> Typed:
    left, right = number(checker, node.this, sign), number(checker, node.expression, sign)
    sql = f"({as_double(left, checker)} {sign} nullif({as_double(right, checker)}, 0))"
    return Typed(kind=DOUBLE, node=node, sql=sql)


def _remainder(checker: Checker, node: exp.Expr) -> Typed:
    left, right = number(checker, node.this, "%"), number(checker, node.expression, "%")
    common: Kind = common_kind(left.kind, right.kind)
    if not common.exact:
        return _division(checker, node, "%")
    one, other = (f"cast({number_sql(v, common, checker.plan)} as {sql_type(common)})" for v in (left, right))
    return Typed(kind=common, node=node, sql=f"({one} % nullif({other}, 0))")
