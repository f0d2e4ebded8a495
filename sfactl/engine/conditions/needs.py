"""What each simple term asks of which value, so that "why not" can name the smallest change."""

from __future__ import annotations

from datetime import date

from sqlglot import exp

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.expressions import COMPARISONS, Checker
from sfactl.engine.conditions.kinds import BIGINT, DATE, TIME, YES_NO
from sfactl.engine.conditions.model import Need
from sfactl.engine.conditions.source import operands
from sfactl.engine.conditions.typed import Typed, as_moment, as_time
from sfactl.engine.periods import parse_period

OPPOSITE = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "in": "not in",
    "between": "not between",
    "is null": "is not null",
    "member": "not member",
    "tagged": "not tagged",
    "contains": "not contains",
    "": "",
}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_TESTED = (exp.Between, exp.In, exp.Is, exp.Like, exp.ILike, exp.Contains, exp.StartsWith, exp.RegexpLike)


def subject_of(checker: Checker, node: exp.Expr) -> Typed | None:
    """The value that a term is about: the left side of a comparison, the rows that has() counts, a yes/no field."""
    node, _ = bare(node)
    if isinstance(node, exp.Escape):
        node = node.this
    if type(node) in COMPARISONS:
        left = checker.value(node.this)
        return checker.value(node.expression) if left.is_literal else left
    if isinstance(node, _TESTED):
        return checker.value(node.this)
    if call := called(node, "has"):
        return checker.value(_counted(node, call))
    if (call := called(node, "within")) and len(call.expressions) == 2:
        return checker.value(call.expressions[1])
    return checker.value(node) if isinstance(node, exp.Column) else None


def needs_of(checker: Checker, node: exp.Expr) -> tuple[Need, ...]:
    """The simple tests of which any one makes the term true; none where it is more complicated."""
    node, negated = bare(node)
    if isinstance(node, exp.Or) and not negated:
        found = [needs_of(checker, part) for part in operands(node, exp.Or)]
        return tuple(need for needs in found for need in needs) if all(found) else ()
    need = need_of(checker, node)
    if need is None:
        return ()
    if negated:
        need = Need(
            subject=need.subject,
            operator=OPPOSITE[need.operator],
            values=need.values,
            kind=need.kind,
            column=need.column,
        )
    return (need,)


def need_of(checker: Checker, node: exp.Expr) -> Need | None:
    """What a test without NOT around it asks, or None where it is more complicated."""
    if type(node) in COMPARISONS:
        return _comparison(checker, node)
    if called(node, "has"):
        return Need(subject=written(checker, node), operator=">=", values=(1,), kind=BIGINT)
    if call := called(node, "member_of"):
        return Need(subject=str(call.expressions[0].this), operator="member", values=(), kind=YES_NO)
    if call := called(node, "tag"):
        said = "=".join(str(part.this) for part in call.expressions)
        return Need(subject=said, operator="tagged", values=(), kind=YES_NO)
    if isinstance(node, exp.Between):
        return _many(checker, node, "between", [node.args["low"], node.args["high"]])
    if isinstance(node, exp.In):
        return _many(checker, node, "in", list(node.expressions))
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return _many(checker, node, "is null", [])
    if isinstance(node, exp.Contains | exp.StartsWith) and isinstance(node.expression, exp.Literal):
        return _many(checker, node, "contains", [node.expression])
    if (call := called(node, "within")) and len(call.expressions) == 2:
        return _window(checker, call)
    if isinstance(node, exp.Column) and checker.value(node).kind == YES_NO:
        return _made(checker, checker.value(node), "=", [Typed(kind=YES_NO, node=node, literal=True)])
    return None


def _window(checker: Checker, call: exp.Anonymous) -> Need:
    subject = checker.value(call.expressions[1])
    settings = checker.plan.settings
    period = parse_period(checker.text_literal(call.expressions[0], "within()"))
    last: date = settings.now
    first: date = zones.before(period, settings.now, settings.zone)
    if subject.kind == DATE:
        last = zones.day_of(settings.now, settings.zone)
        first = period.before(last)
    ends = [Typed(kind=subject.kind, node=call, literal=end) for end in (first, last)]
    return _made(checker, subject, "between", ends)


def _comparison(checker: Checker, node: exp.Expr) -> Need | None:
    operator = COMPARISONS[type(node)]
    subject, value = checker.value(node.this), checker.value(node.expression)
    if subject.is_literal:
        subject, value, operator = value, subject, MIRRORED.get(operator, "")
    if subject.is_literal or not value.is_literal or operator not in MIRRORED:
        return None
    return _made(checker, subject, operator, [value])


def _many(checker: Checker, node: exp.Expr, operator: str, items: list[exp.Expr]) -> Need | None:
    subject, values = checker.value(node.this), [checker.value(item) for item in items]
    if subject.is_literal or not all(value.is_literal for value in values):
        return None
    return _made(checker, subject, operator, values)


def _made(checker: Checker, subject: Typed, operator: str, values: list[Typed]) -> Need:
    if subject.kind in (DATE, TIME):
        values = [as_moment(value, subject.kind, checker.source, checker.plan.settings.zone) for value in values]
        if subject.kind == TIME:
            values = [as_time(value, checker.plan) for value in values]
    return Need(
        subject=written(checker, subject.node),
        operator=operator,
        values=tuple(value.literal for value in values),
        kind=subject.kind,
        column=subject.column,
    )


def written(checker: Checker, node: exp.Expr) -> str:
    """The node as people wrote it, brackets included."""
    return checker.source.written(node)


def bare(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """The node without brackets and NOT around it, and whether it is negated."""
    negated = False
    while isinstance(node, exp.Paren | exp.Not):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    if isinstance(node, exp.Like | exp.ILike) and node.args.get("negate"):
        negated = not negated
    return node, negated


def called(node: exp.Expr, name: str) -> exp.Anonymous | None:
    """The call of the function ``name`` that ``node`` is, with or without a FILTER."""
    inner = node.this if isinstance(node, exp.Filter) else node
    return inner if isinstance(inner, exp.Anonymous) and str(inner.this).lower() == name else None


def _counted(node: exp.Expr, call: exp.Anonymous) -> exp.Expr:
    """``has(r) filter (…)`` as ``count(r) filter (…)``."""
    count = exp.Count(this=call.expressions[0].copy())
    if isinstance(node, exp.Filter):
        return exp.Filter(this=count, expression=node.expression.copy())
    return count
