"""Plant mistakes into a condition: operators, thresholds, periods, connectives, nots, terms, filters and lists.

The parsed tree is changed in one place and written again. Two changes that say the same of whole numbers (``> 4`` and
``>= 5``) are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from sfactl.api.errors import ConditionError
from sfactl.engine.conditions.source import DIALECT, Source
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.proofs.mutants.model import Mutant
from sfactl.proofs.mutants.periods import nearby

BOUNDARY: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
}
OPPOSITE: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.NullSafeEQ: exp.NullSafeNEQ,
    exp.NullSafeNEQ: exp.NullSafeEQ,
}
SIGNS: Mapping[type[exp.Expr], str] = {
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.NullSafeEQ: "is not distinct from",
    exp.NullSafeNEQ: "is distinct from",
}
SWAPPED: Mapping[type[exp.Expr], type[exp.Expr]] = {
    exp.Min: exp.Max,
    exp.Max: exp.Min,
    exp.Sum: exp.Avg,
    exp.Avg: exp.Sum,
}
TESTS = (exp.In, exp.Is, exp.Between, exp.Like, exp.ILike, exp.Contains, exp.StartsWith, exp.RegexpLike)
YES_NO_CALLS = ("has", "member_of", "tag", "within", "followed_by", "preceded_by", "nth")
PERIODS: Mapping[str, tuple[int, str]] = {
    "within": (0, "ago"),
    "followed_by": (1, "later"),
    "preceded_by": (1, "before"),
}
"""Calls with a period: the place of the argument, and how its age is told."""
WHOLE = ("bigint", "integer")
SHORT = 60

Types = Callable[[str], Mapping[str, str]]
"""The SQL types of the columns of a dataset, by its name; ``""`` is what the condition is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``node`` of the tree is replaced by ``by``: ``said`` in words, ``at`` is where people find it."""

    node: exp.Expr
    by: exp.Expr
    said: str
    missing: str
    at: exp.Expr | None = None


def condition_mutants(source: Source, types: Types) -> list[Mutant[str]]:
    """All mutants of a condition as texts; none where the text cannot be written again unchanged."""
    tree = source.parse()
    if not rewritable(tree):
        return []
    seen = {_canonical(tree, types)}
    found = []
    for change in _changes(source, tree):
        text = _replaced(tree, change)
        try:
            canonical = _canonical(Source(text=text).parse(), types)
        except ConditionError:
            continue
        if canonical in seen:
            continue
        seen.add(canonical)
        place = f"position {source.start(change.at or change.node) + 1}"
        found.append(Mutant(rule=text, place=place, change=change.said, missing=change.missing))
    return found


def rewritable(tree: exp.Expr) -> bool:
    """Whether the tree, written out, parses to itself."""
    try:
        return _unquoted(Source(text=tree.sql(dialect=DIALECT)).parse()) == _unquoted(tree)
    except ConditionError:
        return False


def _unquoted(tree: exp.Expr) -> exp.Expr:
    """The tree without quotes around names: words that are reserved get some when they are written again."""
    copy = tree.copy()
    for name in copy.find_all(exp.Identifier):
        name.set("quoted", False)
    return copy


def _replaced(tree: exp.Expr, change: Change) -> str:
    """The text of the tree with the change."""
    place = next(number for number, node in enumerate(tree.walk()) if node is change.node)
    if place == 0:
        return change.by.sql(dialect=DIALECT)
    copy = tree.copy()
    target = next(node for number, node in enumerate(copy.walk()) if number == place)
    target.replace(change.by.copy())
    return copy.sql(dialect=DIALECT)


def _changes(source: Source, tree: exp.Expr) -> Iterator[Change]:
    for node in tree.walk():
        text = _text(source, node)
        if type(node) in OPPOSITE:
            yield from _comparison(source, node)
        elif isinstance(node, exp.And | exp.Or):
            yield from _connector(source, node)
        elif isinstance(node, exp.Not):
            inner = _text(source, node.this)
            missing = f"A case in which all else holds, but not this, would tell: {text}"
            yield Change(node=node, by=node.this, said=f"{text} → {inner}", missing=missing)
        elif isinstance(node, exp.Filter):
            missing = "A case with a row that the filter leaves out would tell."
            yield Change(node=node, by=node.this, said=f"{text} → {_text(source, node.this)}", missing=missing)
        elif type(node) in SWAPPED:
            by = SWAPPED[type(node)](this=node.this.copy())
            said = f"{text} → {_plain(by)}"
            yield Change(node=node, by=by, said=said, missing="A case with two rows of different values would tell.")
        elif isinstance(node, exp.Literal) and not node.is_string:
            yield from _number(source, node)
        elif isinstance(node, exp.Literal):
            yield from _period(node)
        if isinstance(node, exp.In) and len(node.expressions) > 1:
            yield from _shorter(source, node)
        if _is_test(node) and not isinstance(node.parent, exp.Not):
            missing = f"A case in which all else holds, but not this, would tell: {text}"
            yield Change(node=node, by=_not(node), said=f"{text} → not {text}", missing=missing)


def _comparison(source: Source, node: exp.Expr) -> Iterator[Change]:
    left, right, text = _text(source, node.this), _text(source, node.expression), _text(source, node)
    if type(node) in BOUNDARY:
        by = BOUNDARY[type(node)](this=node.this.copy(), expression=node.expression.copy())
        missing = f"A case with {left} exactly {right} would tell."
        yield Change(node=node, by=by, said=f"{text} → {left} {SIGNS[type(by)]} {right}", missing=missing)
    by = OPPOSITE[type(node)](this=node.this.copy(), expression=node.expression.copy())
    missing = f"A case in which all else holds, but not this, would tell: {text}"
    yield Change(node=node, by=by, said=f"{text} → {left} {SIGNS[type(by)]} {right}", missing=missing)


def _connector(source: Source, node: exp.Expr) -> Iterator[Change]:
    left, right = _text(source, node.this), _text(source, node.expression)
    other, word = (exp.Or, "or") if isinstance(node, exp.And) else (exp.And, "and")
    said = f"{'and' if word == 'or' else 'or'} → {word} before {right}"
    # Beside other terms the changed pair keeps together, as brackets would.
    by = exp.Paren(this=other(this=_wrapped(node.this), expression=_wrapped(node.expression)))
    missing = f"A case for which only one of the two holds would tell: {left} · {right}"
    yield Change(node=node, by=by, said=said, missing=missing, at=node.expression)
    for kept, dropped in ((node.this, node.expression), (node.expression, node.this)):
        if isinstance(dropped, type(node)):
            continue
        text = _text(source, dropped)
        missing = f"A case that differs in this alone would tell: {text}"
        yield Change(node=node, by=kept, said=f"left out: {text}", missing=missing, at=dropped)


def _number(source: Source, node: exp.Expr) -> Iterator[Change]:
    parent = node.parent
    test = parent.parent if isinstance(parent, exp.Neg) else parent
    if not isinstance(test, exp.Between | exp.In | exp.Binary) or isinstance(test, exp.Escape):
        return
    if "e" in str(node.this).lower():
        return
    value = Decimal(str(node.this))
    step = Decimal(1).scaleb(min(0, int(value.as_tuple().exponent)))
    subject = _text(source, _about(test, node) or test)
    for moved in (value + step, value - step):
        if moved >= 0:
            told = _telling(test, node, value, moved)
            said = f"{_text(source, test)}: {value:f} → {moved:f}"
            missing = f"A case with {subject} exactly {told:f} would tell."
            yield Change(node=node, by=exp.Literal.number(f"{moved:f}"), said=said, missing=missing)


def _telling(test: exp.Expr, node: exp.Expr, value: Decimal, moved: Decimal) -> Decimal:
    """The value at which a test with ``value`` and one with ``moved`` say different things."""
    low, high = min(value, moved), max(value, moved)
    upward = isinstance(test, exp.GTE | exp.LT) or (isinstance(test, exp.Between) and test.args.get("low") is node)
    if isinstance(test, exp.EQ | exp.NEQ | exp.In):
        return value
    return low if upward else high


def _period(node: exp.Expr) -> Iterator[Change]:
    call = node.parent
    name = str(call.this).lower() if isinstance(call, exp.Anonymous) else ""
    if call is None or name not in PERIODS:
        return
    place, when = PERIODS[name]
    if len(call.expressions) <= place or call.expressions[place] is not node:
        return
    try:
        period = parse_period(str(node.this))
    except PeriodError:
        return
    for moved, edge in nearby(period):
        missing = f"A case in which it happened exactly {edge} {when} would tell."
        said = f"{name}: '{node.this}' → '{moved}'" if place else f"within('{node.this}') → within('{moved}')"
        yield Change(node=node, by=exp.Literal.string(str(moved)), said=said, missing=missing)


def _shorter(source: Source, node: exp.In) -> Iterator[Change]:
    for item in node.expressions:
        rest = [other.copy() for other in node.expressions if other is not item]
        text = _plain(item)
        missing = f"A case with {_text(source, node.this)} {text} would tell."
        by = exp.In(this=node.this.copy(), expressions=rest)
        yield Change(node=node, by=by, said=f"{_text(source, node)}: left out {text}", missing=missing)


def _is_test(node: exp.Expr) -> bool:
    """Whether the node is a yes/no term that no operator can turn round."""
    if isinstance(node, TESTS):
        return not isinstance(node.parent, exp.Escape)
    if isinstance(node, exp.Escape):
        return True
    inner = node.this if isinstance(node, exp.Filter) else node
    called = isinstance(inner, exp.Anonymous) and str(inner.this).lower() in YES_NO_CALLS
    alone = isinstance(node.parent, exp.And | exp.Or | exp.Paren | exp.Where) or node.parent is None
    if isinstance(node, exp.Column):
        return isinstance(node.parent, exp.And | exp.Or | exp.Where) or node.parent is None
    return called and alone and not (isinstance(node.parent, exp.Filter) and node.parent.this is node)


def _not(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Like | exp.ILike) and node.args.get("negate"):
        copy = node.copy()
        copy.set("negate", None)
        return copy
    return exp.Not(this=exp.Paren(this=node.copy()))


def _about(test: exp.Expr, literal: exp.Expr) -> exp.Expr | None:
    """What a number is compared with."""
    left: exp.Expr = test.this
    if isinstance(test, exp.Between | exp.In):
        return left
    right: exp.Expr = test.expression
    if type(test) in OPPOSITE:
        return right if left is literal or left.find(exp.Literal) is literal else left
    return None


def _whole(node: exp.Expr | None, types: Types) -> bool:
    """Whether a value is certainly a whole number."""
    inner = node.this if isinstance(node, exp.Filter) else node
    if isinstance(inner, exp.Count):
        return True
    if not isinstance(inner, exp.Column):
        return False
    parts = [part.name.lower() for part in inner.parts]
    where = inner.find_ancestor(exp.Filter)
    inside = where is not None and where.expression.find(exp.Column) is not None and _within(where.expression, inner)
    relation = _relation(where) if where is not None and inside else ""
    if len(parts) == 1 and parts[0] not in types(relation):
        relation = ""
    if len(parts) == 2:
        relation = parts[0]
    return types(relation).get(parts[-1], "") in WHOLE if len(parts) <= 2 else False


def _within(tree: exp.Expr, node: exp.Expr) -> bool:
    return any(found is node for found in tree.walk())


def _relation(where: exp.Filter) -> str:
    column = where.this.find(exp.Column)
    return str(column.parts[0].name).lower() if column is not None else ""


def _canonical(tree: exp.Expr, types: Types) -> str:
    """The condition in a form in which equal tests of whole numbers are equal."""

    def plain(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Paren):
            inner: exp.Expr = node.this
            return inner
        number = node.expression if isinstance(node, exp.GT | exp.LT) else None
        if isinstance(number, exp.Literal) and not number.is_string and _whole(node.this, types):
            value = Decimal(str(number.this))
            if value == value.to_integral_value():
                up = isinstance(node, exp.GT)
                kind = exp.GTE if up else exp.LTE
                moved = exp.Literal.number(str(int(value) + (1 if up else -1)))
                return kind(this=node.this.copy(), expression=moved)
        return node

    text: str = tree.copy().transform(plain, copy=False).sql(dialect=DIALECT)
    return text


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node.copy()) if isinstance(node, exp.Connector) else node.copy()


def _text(source: Source, node: exp.Expr) -> str:
    """The node as people wrote it; a ``not`` has no place of its own in the text, so that it is put back."""
    if isinstance(node, exp.Not):
        inner = source.written(node.this)
        if isinstance(node.this, exp.Is | exp.In | exp.Like | exp.Between):
            return _cut(_plain(node))
        return _cut(f"not {inner}")
    unplaced = any(isinstance(part, exp.Func) and "start" not in part.meta for part in node.walk())
    if isinstance(node, exp.Is) or (unplaced and not isinstance(node, exp.Connector)):
        return _cut(_plain(node))
    if isinstance(node, exp.Paren):
        return _cut(f"({source.written(node.this)})")
    return _cut(source.written(node))


def _plain(node: exp.Expr) -> str:
    text: str = _unquoted(node).sql(dialect=DIALECT, normalize_functions="lower").replace('"at"', "at")
    return re.sub(r"\b(AND|OR|NOT|IS|NULL|IN|BETWEEN|LIKE|FILTER|WHERE|DISTINCT)\b", lambda m: m[0].lower(), text)


def _cut(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= SHORT else f"{plain[: SHORT - 1]}…"
