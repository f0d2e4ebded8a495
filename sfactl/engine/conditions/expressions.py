"""Check one condition node by node against a whitelist and turn it into SQL. What is not listed here is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from sfactl.engine.conditions import aggregates, arithmetic, functions
from sfactl.engine.conditions.kinds import DATE, NULL, TEXT, TIME, YES_NO
from sfactl.engine.conditions.plan import Plan
from sfactl.engine.conditions.scope import LAYER, SCORE, Scope
from sfactl.engine.conditions.source import Source, nearest, operands
from sfactl.engine.conditions.typed import (
    Typed,
    as_moment,
    comparable,
    number_literal,
    sql_of,
)

COMPARISONS: Mapping[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
}


class Checker:
    """Checks and renders the nodes of one condition in one scope.

    ``members`` maps segments that are computed in the same statement to their columns.
    """

    def __init__(self, plan: Plan, scope: Scope, members: Mapping[str, str] | None = None) -> None:
        self.plan = plan
        self.scope = scope
        self.members = members or {}

    @property
    def source(self) -> Source:
        """The text at hand."""
        return self.scope.source

    def within(self, scope: Scope) -> Checker:
        """A checker for the inside of an aggregate."""
        return Checker(self.plan, scope, self.members)

    def condition(self, node: exp.Expr) -> str:
        """The node as a boolean SQL expression."""
        value = self.value(node)
        if value.kind != YES_NO:
            raise self.source.error(
                f"{self.source.slice(node)} is {value.kind.phrase}, but a condition is needed here", node=node
            )
        return sql_of(value, self.plan)

    def value(self, node: exp.Expr) -> Typed:
        """The node as a typed value."""
        if handler := _HANDLERS.get(type(node)):
            return handler(self, node)
        if type(node) in COMPARISONS:
            return _comparison(self, node)
        found = aggregates.value(self, node) or arithmetic.value(self, node) or functions.value(self, node)
        if found is None:
            called = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
            near = nearest(called, functions.NAMES) if called else ""
            raise self.source.error(f"{_name(node)} may not be used in a condition.{near}".removesuffix("."), node=node)
        return found

    def text_literal(self, node: exp.Expr | None, what: str) -> str:
        """The text of a literal in quotes, as needed for ``what``."""
        if isinstance(node, exp.Literal) and node.is_string:
            return str(node.this)
        place = node if node is not None else None
        raise self.source.error(f"{what} needs a text in single quotes", node=place, at=0)

    def yes_no(self, node: exp.Expr, sql: str) -> Typed:
        """A boolean result."""
        return Typed(kind=YES_NO, node=node, sql=sql)


def _connector(checker: Checker, node: exp.Expr) -> Typed:
    kind = exp.And if isinstance(node, exp.And) else exp.Or
    word = " and " if kind is exp.And else " or "
    parts = [checker.condition(part) for part in operands(node, kind)]
    return checker.yes_no(node, f"({word.join(parts)})")


def _not(checker: Checker, node: exp.Expr) -> Typed:
    return checker.yes_no(node, f"(not {checker.condition(node.this)})")


def _paren(checker: Checker, node: exp.Expr) -> Typed:
    return checker.value(node.this)


def _comparison(checker: Checker, node: exp.Expr) -> Typed:
    left, right = checker.value(node.this), checker.value(node.expression)
    operator = COMPARISONS[type(node)]
    if isinstance(node, exp.NullSafeEQ | exp.NullSafeNEQ) and NULL in (left.kind, right.kind):
        return checker.yes_no(node, f"({sql_of(left, checker.plan)} {operator} {sql_of(right, checker.plan)})")
    one, other = comparable(left, right, checker.source, checker.plan)
    if left.kind == YES_NO and operator in ("<", "<=", ">", ">="):
        raise checker.source.error("yes/no values have no order. Use = or <>", node=node)
    return checker.yes_no(node, f"({one} {operator} {other})")


def _between(checker: Checker, node: exp.Expr) -> Typed:
    if node.args.get("symmetric"):
        raise checker.source.error("BETWEEN SYMMETRIC may not be used in a condition", node=node)
    value, low, high = (checker.value(node.args[key]) for key in ("this", "low", "high"))
    if value.kind == YES_NO:
        raise checker.source.error("yes/no values have no order. Use = or <>", node=node)
    first, lowest = comparable(value, low, checker.source, checker.plan)
    second, highest = comparable(value, high, checker.source, checker.plan)
    return checker.yes_no(node, f"({first} >= {lowest} and {second} <= {highest})")


def _in(checker: Checker, node: exp.Expr) -> Typed:
    if node.args.get("query") or node.args.get("unnest") or node.args.get("field"):
        raise checker.source.error("a query may not be used in a condition", node=node)
    items = [checker.value(item) for item in node.expressions]
    if not items:
        raise checker.source.error("in () needs at least one value", node=node)
    value = checker.value(node.this)
    pairs = [comparable(value, item, checker.source, checker.plan) for item in items]
    if len({left for left, _ in pairs}) == 1:
        return checker.yes_no(node, f"({pairs[0][0]} in ({', '.join(right for _, right in pairs)}))")
    return checker.yes_no(node, f"({' or '.join(f'{left} = {right}' for left, right in pairs)})")


def _is(checker: Checker, node: exp.Expr) -> Typed:
    value = checker.value(node.this)
    if isinstance(node.expression, exp.Null):
        return checker.yes_no(node, f"({sql_of(value, checker.plan)} is null)")
    if isinstance(node.expression, exp.Boolean) and value.kind == YES_NO:
        word = "true" if node.expression.this else "false"
        return checker.yes_no(node, f"({sql_of(value, checker.plan)} is {word})")
    raise checker.source.error("IS goes with null, and with true or false for a yes/no value", node=node)


def _like(checker: Checker, node: exp.Expr) -> Typed:
    escape = ""
    if isinstance(node, exp.Escape):
        escape = checker.text_literal(node.expression, "escape")
        if len(escape) != 1:
            raise checker.source.error("escape needs one character", node=node.expression)
        node = node.this
    if not isinstance(node, exp.Like | exp.ILike):
        raise checker.source.error("ESCAPE goes with LIKE", node=node)
    value, pattern = checker.value(node.this), checker.value(node.expression)
    for part in (value, pattern):
        if part.kind != TEXT:
            raise checker.source.error(
                f"like compares text, but {checker.source.slice(part.node)} is {part.kind.phrase}", node=part.node
            )
    one, other = sql_of(value, checker.plan), sql_of(pattern, checker.plan)
    if isinstance(node, exp.ILike):
        one, other = f"lower({one})", f"lower({other})"
    tail = f" escape {checker.plan.bind(escape, TEXT)}" if escape else ""
    word = "not like" if node.args.get("negate") else "like"
    return checker.yes_no(node, f"({one} {word} {other}{tail})")


def _literal(checker: Checker, node: exp.Expr) -> Typed:
    if node.args.get("is_string"):
        return Typed(kind=TEXT, node=node, literal=str(node.this))
    return number_literal(node, str(node.this), checker.source)


def _cast(checker: Checker, node: exp.Expr) -> Typed:
    # DATE '2026-01-31' and TIMESTAMP '…' arrive as casts; no other cast is allowed.
    wanted = {exp.DType.DATE: DATE, exp.DType.TIMESTAMP: TIME, exp.DType.TIMESTAMPNTZ: TIME}.get(node.args["to"].this)
    if type(node) is not exp.Cast or wanted is None or not isinstance(node.this, exp.Literal):
        raise checker.source.error("a cast may not be used in a condition", node=node)
    return as_moment(checker.value(node.this), wanted, checker.source, checker.plan.settings.zone)


def _column(checker: Checker, node: exp.Expr) -> Typed:
    assert isinstance(node, exp.Column)
    if isinstance(node.this, exp.Star):
        raise checker.source.error("* may not be used here", node=node)
    parts = [part.name.lower() for part in node.parts]
    if len(parts) > 1 and parts[0] == SCORE and not checker.scope.inside:
        return aggregates.stored_score(checker, node)
    if len(parts) > 1 and parts[0] == LAYER and not checker.scope.inside:
        return aggregates.stored_layer(checker, node)
    return checker.scope.column(node)


def _boolean(_: Checker, node: exp.Expr) -> Typed:
    return Typed(kind=YES_NO, node=node, literal=bool(node.this))


def _null(_: Checker, node: exp.Expr) -> Typed:
    return Typed(kind=NULL, node=node)


_HANDLERS: Mapping[type[exp.Expr], Callable[[Checker, exp.Expr], Typed]] = {
    exp.And: _connector,
    exp.Or: _connector,
    exp.Not: _not,
    exp.Paren: _paren,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Escape: _like,
    exp.Literal: _literal,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Column: _column,
    exp.Boolean: _boolean,
    exp.Null: _null,
}


def _name(node: exp.Expr) -> str:
    if isinstance(node, exp.Placeholder | exp.Parameter):
        return "a parameter"
    if isinstance(node, exp.Subquery | exp.Select | exp.Exists | exp.Query):
        return "a query"
    if isinstance(node, exp.Anonymous):
        return f"the function {str(node.this).lower()}()"
    if isinstance(node, exp.Func):
        return f"the function {node.sql_name().lower()}()"
    return type(node).__name__.upper()
