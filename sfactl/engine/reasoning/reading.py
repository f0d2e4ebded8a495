"""Read a parsed condition as a formula over sets of values, in the logic of true, false and unknown.

Every test of one expression against literals becomes two sets: the values for which it is true and those for which it
is false; for all others it is unknown. Whatever is not understood is a yes/no expression of its own, known by its
SQL: equal SQL, equal value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any as Whatever
from typing import Literal, cast

from sqlglot import exp

from sfactl.engine.conditions import sequences, zones
from sfactl.engine.conditions.expressions import COMPARISONS, Checker
from sfactl.engine.conditions.kinds import DATE, NULL, TIME, common_kind
from sfactl.engine.conditions.moments import window
from sfactl.engine.conditions.source import operands
from sfactl.engine.conditions.typed import Typed, as_moment, as_time
from sfactl.engine.reasoning.domain import Domain, Line, Span, domain, points, whole_line
from sfactl.engine.reasoning.formula import ALWAYS, NEVER, All, Any, Formula, Leaf

Want = Literal["true", "false", "not true", "not false"]
"""What is asked of a condition; unknown is neither true nor false."""

OPPOSITE: Mapping[Want, Want] = {"true": "false", "false": "true", "not true": "not false", "not false": "not true"}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
YES, NO = 1, 0
EPOCH = datetime(1970, 1, 1)
MICROSECOND = timedelta(microseconds=1)
DAY_US = 86_400_000_000
TEXT_TESTS = (exp.Like, exp.ILike, exp.Contains, exp.StartsWith, exp.RegexpLike)


@dataclass(frozen=True, slots=True)
class Subject:
    """An expression: its ``key``, and every value it can have.

    Where it is computed from the key, ``back`` turns a set of its values into the set of the key's values that give
    them, and ``space`` is every value of the key. ``given`` must hold wherever the value is not null; ``near`` says
    what else must hold for the value to be in a set.
    """

    key: str
    every: Domain
    back: Callable[[Domain], Domain] | None = None
    space: Domain | None = None
    given: Formula = ALWAYS
    near: Callable[[Domain], Formula] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """What a count counts: rows of ``relation`` that meet ``where``."""

    relation: str
    where: exp.Expr | None


class Reader:
    """Reads the nodes of one condition. ``counts`` collects what is counted, by key, for all readers that share it.

    ``members`` reads the condition of a segment, or answers None where it is not known.
    """

    def __init__(
        self,
        checker: Checker,
        counts: dict[str, tuple[Rows, Checker]],
        members: Callable[[str, Want], Formula | None],
    ) -> None:
        self.checker = checker
        self.counts = counts
        self.members = members

    def read(self, node: exp.Expr, want: Want) -> Formula:
        """What must hold for ``node`` to be as wanted."""
        if isinstance(node, exp.Paren):
            return self.read(node.this, want)
        if isinstance(node, exp.Not):
            return self.read(node.this, OPPOSITE[want])
        if isinstance(node, exp.And | exp.Or):
            kind = exp.And if isinstance(node, exp.And) else exp.Or
            parts = tuple(self.read(part, want) for part in operands(node, kind))
            return All(parts) if (kind is exp.And) == (want in ("true", "not false")) else Any(parts)
        if isinstance(node, exp.Boolean):
            return ALWAYS if bool(node.this) == (want in ("true", "not false")) else NEVER
        return self._test(node, want)

    def _test(self, node: exp.Expr, want: Want) -> Formula:
        if type(node) in COMPARISONS:
            return self._compared(node.this, node.expression, COMPARISONS[type(node)], node, want)
        if isinstance(node, exp.Between) and not node.args.get("symmetric"):
            pairs = ((">=", node.args["low"]), ("<=", node.args["high"]))
            parts = tuple(self._compared(node.this, bound, op, None, want) for op, bound in pairs)
            return All(parts) if want in ("true", "not false") else Any(parts)
        if isinstance(node, exp.In):
            return self._in(node, want)
        if isinstance(node, exp.Is):
            return self._is(node, want)
        if isinstance(node, TEXT_TESTS) and node.args.get("negate"):
            bare = node.copy()
            bare.set("negate", False)
            return self._opaque(bare, OPPOSITE[want])
        if call := _called(node, "has"):
            counted = self._subject(_counted(node, call))
            least = domain("whole", [Span(1)])
            return _leaf(counted, least, counted.every.meet(least.rest()), want)
        if call := _called(node, "within"):
            return self._within(node, call, want)
        if call := _called(node, "member_of"):
            return self._member(node, call, want)
        return self._opaque(node, want)

    def _compared(self, left: exp.Expr, right: exp.Expr, operator: str, node: exp.Expr | None, want: Want) -> Formula:
        if operator == "<>":
            return self._compared(left, right, "=", None, OPPOSITE[want])
        if operator == "is distinct from":
            return self._compared(left, right, "is not distinct from", None, OPPOSITE[want])
        one, other = self.checker.value(left), self.checker.value(right)
        if one.is_literal and not other.is_literal:
            one, other, left, operator = other, one, right, MIRRORED.get(operator, operator)
        if one.is_literal or NULL in (one.kind, other.kind):
            return self._unread(node, want)
        if not other.is_literal:
            return self._two(one, other, operator, want)
        value, exact = self._literal(one, other)
        if value is None:
            return self._unread(node, want)
        subject = self._subject(left, one if exact else None, double=not exact)
        line = subject.every.line
        if operator == "is not distinct from":
            same = points(line, [value])
            return _leaf(subject, same, subject.every.meet(same.complement().with_null(True)), want)
        spans = {
            "=": Span(value, False, value, False),
            "<": Span(None, False, value, True),
            "<=": Span(None, False, value, False),
            ">": Span(value, True),
            ">=": Span(value, False),
        }
        true = domain(line, [spans[operator]])
        return _leaf(subject, true, true.rest(), want)

    def _two(self, one: Typed, other: Typed, operator: str, want: Want) -> Formula:
        """A comparison of two expressions: a yes/no expression of its own, the same whichever way round."""
        if operator in (">", "<="):
            one, other = other, one
        if operator in (">=", "<="):
            want = OPPOSITE[want]
        sides = sorted((one.sql, other.sql)) if operator in ("=", "is not distinct from") else [one.sql, other.sql]
        sign = {"=": "=", "is not distinct from": "=="}.get(operator, "<")
        return _yes_no(f"{sides[0]} {sign} {sides[1]}", want, null=operator != "is not distinct from")

    def _in(self, node: exp.In, want: Want) -> Formula:
        if any(node.args.get(key) for key in ("query", "unnest", "field")):
            return self._opaque(node, want)
        parts = tuple(self._compared(node.this, item, "=", None, want) for item in node.expressions)
        # As one set where all are values of one expression: many alternatives would cost the search its budget.
        leaves = [part for part in parts if isinstance(part, Leaf)]
        if len(leaves) == len(parts) and len({leaf.key for leaf in leaves}) == 1 and want in ("true", "not false"):
            met = domain(leaves[0].domain.line, [s for leaf in leaves for s in leaf.domain.spans])
            return Leaf(leaves[0].key, met.with_null(any(leaf.domain.null for leaf in leaves)))
        return Any(parts) if want in ("true", "not false") else All(parts)

    def _is(self, node: exp.Is, want: Want) -> Formula:
        subject = self._subject(node.this)
        if isinstance(node.expression, exp.Null):
            empty = Domain(subject.every.line, (), True)
            return _leaf(subject, empty, subject.every.values(), want)
        if isinstance(node.expression, exp.Boolean) and subject.every.line == "whole":
            same = points("whole", [YES if node.expression.this else NO])
            return _leaf(subject, same, subject.every.meet(same.complement()), want)
        return self._opaque(node, want)

    def _within(self, node: exp.Expr, call: exp.Anonymous, want: Want) -> Formula:
        given = call.expressions
        column = self.checker.value(given[1]) if len(given) == 2 else self.checker.scope.time(node)
        if column is None or column.is_literal:
            return self._opaque(node, want)
        settings = self.checker.plan.settings
        last: date = zones.day_of(settings.now, settings.zone) if column.kind == DATE else settings.now
        first = window(self.checker, given[0], column)[1]
        subject = Subject(key=column.sql, every=whole_line("whole"))
        true = domain("whole", [Span(_moment(first), False, _moment(last), False)])
        return _leaf(subject, true, true.rest(), want)

    def _member(self, node: exp.Expr, call: exp.Anonymous, want: Want) -> Formula:
        """Membership is never unknown: not a member is the same as false."""
        member = want in ("true", "not false")
        leaf = _yes_no(self.checker.value(node).sql, "true" if member else "false", null=False)
        meant = self.members(str(call.expressions[0].this), "true" if member else "not true")
        return leaf if meant is None else All((leaf, meant))

    def _opaque(self, node: exp.Expr, want: Want) -> Formula:
        """A yes/no expression of its own. A test of a text, or a yes/no field, is unknown where that is null."""
        found = self.checker.value(node)
        if found.is_literal:
            if found.literal is None:
                return ALWAYS if want.startswith("not") else NEVER
            return ALWAYS if bool(found.literal) == (want in ("true", "not false")) else NEVER
        leaf = _yes_no(found.sql, want)
        bare = node.this if isinstance(node, exp.Escape) else node
        if isinstance(bare, TEXT_TESTS) and not want.startswith("not"):
            text = self.checker.value(bare.this)
            if not text.is_literal:
                return All((leaf, Leaf(text.sql, whole_line("text", null=False))))
        return leaf

    def _unread(self, node: exp.Expr | None, want: Want) -> Formula:
        # Without a node of its own nothing is claimed: always possible, whatever is wanted.
        return ALWAYS if node is None else self._opaque(node, want)

    def _subject(self, node: exp.Expr, found: Typed | None = None, *, double: bool = False) -> Subject:
        node = node.this if isinstance(node, exp.Paren) else node
        found = found or self.checker.value(node)
        line = _line(found)
        if double:
            return Subject(key=f"double {found.sql}", every=whole_line("real"))
        if call := _called(node, "days_since"):
            return self._days_since(call)
        if isinstance(node, exp.Coalesce) and (inner := self._coalesced(node, found)):
            return inner
        bare = node.this if isinstance(node, exp.Filter) else node
        if isinstance(bare, exp.Count):
            return self._count(node, bare, found)
        every = points("whole", [NO, YES], null=True) if found.kind.name == "yes/no" else whole_line(line)
        given = self._some(node, bare) if isinstance(bare, exp.Sum | exp.Avg | exp.Min | exp.Max) else ALWAYS
        return Subject(key=found.sql, every=every, given=given)

    def _count(self, node: exp.Expr, bare: exp.Count, found: Typed) -> Subject:
        argument = bare.this
        plain = isinstance(argument, exp.Column) and (len(argument.parts) == 1 or isinstance(argument.this, exp.Star))
        where = node.expression.this if isinstance(node, exp.Filter) else None
        if plain and not sequences.asked(where):
            rows = Rows(relation=argument.parts[0].name.lower(), where=where)
            self.counts.setdefault(found.sql, (rows, self.checker))
        return Subject(key=found.sql, every=domain("whole", [Span(0)]))

    def _some(self, node: exp.Expr, bare: exp.Expr) -> Formula:
        """A sum, mean, least or greatest of no rows is null: where there is one, there are rows."""
        column = bare.this
        if not isinstance(column, exp.Column) or len(column.parts) < 2:
            return ALWAYS
        count: exp.Expr = exp.Count(this=exp.column(column.parts[0].name))
        if isinstance(node, exp.Filter):
            count = exp.Filter(this=count, expression=node.expression.copy())
        return Leaf(self._subject(count).key, domain("whole", [Span(1)]))

    def _days_since(self, call: exp.Anonymous) -> Subject:
        """Whole days between a day, or the day of a time, and today: a set of days of the field itself."""
        field = self.checker.value(call.expressions[0])
        settings = self.checker.plan.settings
        today = _moment(zones.day_of(settings.now, settings.zone))
        if field.is_literal:
            return Subject(key=self.checker.value(call).sql, every=whole_line("whole"))
        if field.kind == TIME and settings.zone not in zones.PLAIN:
            # Elsewhere days are not all of one length, and some begin twice: the time itself is known but to the day.
            key = self.checker.value(call).sql
            return Subject(key=key, every=whole_line("whole"), near=lambda days: _about(field.sql, today, days))
        length, last = (1, 0) if field.kind == DATE else (DAY_US, DAY_US - 1)

        def back(days: Domain) -> Domain:
            spans = [
                Span(
                    None if s.high is None else (today - s.high) * length,
                    False,
                    None if s.low is None else (today - s.low) * length + last,
                    False,
                )
                for s in days.spans
            ]
            return domain("whole", spans, null=days.null)

        return Subject(key=field.sql, every=whole_line("whole"), back=back, space=whole_line("whole"))

    def _coalesced(self, node: exp.Coalesce, found: Typed) -> Subject | None:
        """coalesce(x, literal): a set of values of x, and null where the literal is in the set."""
        if len(node.expressions) != 1:
            return None
        first, last = self.checker.value(node.this), self.checker.value(node.expressions[0])
        if first.is_literal or not last.is_literal or last.kind == NULL:
            return None
        if first.kind.name == "number" and first.kind.exact != found.kind.exact:
            return None
        value, exact = self._literal(first, last)
        inner = self._subject(node.this, first)
        whole = inner.every.line != "whole" or not isinstance(value, Fraction) or value.denominator == 1
        if value is None or not exact or not whole:
            return None

        def back(wanted: Domain) -> Domain:
            holds = not wanted.meet(points(wanted.line, [value])).empty
            met = Domain(wanted.line, wanted.spans, holds)
            return inner.back(met) if inner.back else met

        return Subject(
            key=inner.key, every=replace(inner.every, null=False), back=back, space=inner.space or inner.every
        )

    def _literal(self, subject: Typed, literal: Typed) -> tuple[Whatever, bool]:
        """The literal as a bound on the subject's line, and whether the two are compared as they are."""
        kind = subject.kind
        if kind in (DATE, TIME):
            plan = self.checker.plan
            literal = as_moment(literal, kind, self.checker.source, plan.settings.zone)
            if kind == TIME:
                literal = as_time(literal, plan)
            same = literal.kind == kind and isinstance(literal.literal, date)
            return (_moment(cast(date, literal.literal)), True) if same else (None, False)
        if kind.name != literal.kind.name:
            return None, False
        if kind.name == "number" and isinstance(literal.literal, int | float | Decimal):
            if common_kind(kind, literal.kind).exact:
                return Fraction(literal.literal), True
            return Fraction(float(literal.literal)), not kind.exact
        if kind.name == "yes/no":
            return (YES if literal.literal else NO), True
        return (str(literal.literal), True) if kind.name == "text" else (None, False)


def _leaf(subject: Subject, true: Domain, false: Domain, want: Want) -> Formula:
    met = (true if want in ("true", "not true") else false).meet(subject.every)
    if subject.back:
        met = subject.back(met)
    if want.startswith("not"):
        met = met.complement().meet(subject.space or subject.every)
    leaf = Leaf(subject.key, met)
    if want.startswith("not") or met.null:
        return leaf
    if subject.near:
        return All((leaf, subject.near(met)))
    return leaf if subject.given == ALWAYS else All((leaf, subject.given))


def _about(key: str, today: int, days: Domain) -> Formula:
    """The time ``key`` where it lies so many days back: two days more either way hold every zone."""
    spans = [
        Span(
            None if s.high is None else (today - s.high - 2) * DAY_US,
            False,
            None if s.low is None else (today - s.low + 3) * DAY_US,
            False,
        )
        for s in days.spans
    ]
    return Leaf(key, domain("whole", spans))


def _yes_no(key: str, want: Want, *, null: bool = True) -> Formula:
    value = YES if want in ("true", "not true") else NO
    if want.startswith("not"):
        return Leaf(key, points("whole", [1 - value], null=null))
    return Leaf(key, points("whole", [value]))


def _line(found: Typed) -> Line:
    if found.kind.name == "text":
        return "text"
    if found.kind.name == "number":
        return "whole" if found.kind.exact and found.kind.scale == 0 else "real"
    return "whole"


def _moment(value: date) -> int:
    """A day as its number, a time as its microsecond."""
    return (value - EPOCH) // MICROSECOND if isinstance(value, datetime) else (value - EPOCH.date()).days


def _called(node: exp.Expr, name: str) -> exp.Anonymous | None:
    inner = node.this if isinstance(node, exp.Filter) else node
    return inner if isinstance(inner, exp.Anonymous) and str(inner.this).lower() == name else None


def _counted(node: exp.Expr, call: exp.Anonymous) -> exp.Expr:
    count = exp.Count(this=call.expressions[0].copy())
    return exp.Filter(this=count, expression=node.expression.copy()) if isinstance(node, exp.Filter) else count
