"""What came after what: ``followed_by``, ``preceded_by`` and ``nth`` inside a FILTER.

A row is followed by another where that one's time is later, by no more than the period; with 'same day' also at the
very same time, because days are often all that is known. While the period is not over yet and nothing has followed, the
answer is unknown, so that neither it nor its opposite counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions import zones
from sfactl.engine.conditions.arguments import arguments
from sfactl.engine.conditions.entity import Relation, relation_names, relation_of
from sfactl.engine.conditions.kinds import DATE, TIME, YES_NO, kind_of, sql_type
from sfactl.engine.conditions.model import Window
from sfactl.engine.conditions.moments import shifted_sql
from sfactl.engine.conditions.plan import KEY_PARAMETER, quote
from sfactl.engine.conditions.scans import Scan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import nearest, operands
from sfactl.engine.conditions.streams import STRICT, TIES, Branch, Stream
from sfactl.engine.conditions.typed import Typed
from sfactl.engine.periods import Period, PeriodError, parse_period

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

FOLLOWED, PRECEDED, NTH = "followed_by", "preceded_by", "nth"
SAME_DAY = "same day"
AT = 'r."_at"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """SQL over the stream's columns, and the level of windows that it needs."""

    sql: str
    level: int


def asked(node: exp.Expr | None) -> bool:
    """Whether ``node`` asks what came after what."""
    return node is not None and any(_named(call) for call in node.find_all(exp.Anonymous))


def filtered(checker: Checker, relation: Relation, node: exp.Expr) -> tuple[Scan, tuple[str, ...]]:
    """A pass over the rows of ``relation`` in their stream, and the terms that a row must meet to count."""
    scan = checker.plan.streamed(relation.dataset)
    assert scan.stream is not None
    return scan, (Sequence(checker, scan.stream).counted(relation, node).sql,)


def chosen(checker: Checker, relation: Relation, node: exp.Expr) -> str:
    """The condition that a row ``r`` of ``relation`` is one of those that ``node`` counts, for the entity ``$key``."""
    scan, terms = filtered(checker, relation, node)
    assert scan.stream is not None
    schema = checker.plan.settings.schemas[relation.dataset]
    branch = scan.stream.branches[relation.dataset]
    keys = [scan.stream.column(branch, f"r.{quote(key)}", schema.types[key]) for key in schema.key]
    rows = checker.plan.stream_sql(scan.stream, f"{{}} = ${KEY_PARAMETER}")
    own = ", ".join(f"r.{quote(key)}" for key in schema.key)
    return f"({own}) in (select {', '.join(keys)} from {rows} as r where {' and '.join(terms)})"


def carried(checker: Checker, scan: Scan, relation: Relation, value: Typed) -> str:
    """A value of a row of ``relation`` as a column of the stream."""
    assert scan.stream is not None
    sequence = Sequence(checker, scan.stream)
    return scan.stream.column(sequence.branch(relation, value.node), value.sql, sql_type(value.kind))


def refuse(checker: Checker, node: exp.Expr) -> None:
    """Raise `ConditionError` where ``node`` asks for an order of rows outside of the FILTER of an aggregate."""
    call = node.this if isinstance(node, exp.Filter) else node
    if not isinstance(call, exp.Anonymous) or not _named(call):
        return
    example = "has(touchpoints) filter (where kind = 'form_submit' and followed_by(orders, '3 days'))"
    raise checker.source.error(f"{_named(call)}() goes inside a FILTER: {example}", node=node)


class Sequence:
    """Puts the steps of one FILTER into a stream."""

    def __init__(self, checker: Checker, stream: Stream) -> None:
        self._checker = checker
        self._stream = stream
        self._plan = checker.plan
        self._link = quote(checker.plan.settings.entity.link or "")

    def counted(self, relation: Relation, node: exp.Expr | None) -> Placed:
        """Whether a row of the stream is one of ``relation`` that meets ``node``; never unknown."""
        branch = self.branch(relation, node)
        inner = self._inside(branch)
        nodes = list(operands(node, exp.And)) if node is not None else []
        plain = [term for term in nodes if not asked(term)]
        terms = [*(inner.condition(term) for term in plain), *self._plan.counting(relation)]
        own = " and ".join(terms)
        branch.kept.add(f"({own})" if own else "")
        base = self._stream.column(branch, f"coalesce({own}, false)" if own else "true", "boolean")
        base = f"coalesce({base}, false)"
        placed = [self._part(inner, branch, base, term) for term in nodes if asked(term)]
        whole = " and ".join([base, *(part.sql for part in placed)])
        return Placed(sql=f"coalesce({whole}, false)", level=max((part.level for part in placed), default=0))

    def branch(self, relation: Relation, node: exp.Expr | None) -> Branch:
        """The place of ``relation`` in the stream."""
        found = self._stream.branches.get(relation.dataset)
        if found is not None:
            return found
        kind = kind_of(relation.columns[relation.time]) if relation.time else None
        if relation.time is None or kind not in (DATE, TIME):
            raise self._error(f"rows of {relation.dataset} have no time, so none comes after another", node)
        time = f"r.{quote(relation.time)}"
        if kind == DATE:
            time = zones.instant_sql(f"cast({time} as timestamp)", self._plan)
        probe = Scan(name="", dataset=relation.dataset, time=relation.time)
        made = Branch(relation=relation, own_time=relation.time, time=time, probe=probe)
        self._stream.branches[relation.dataset] = made
        return made

    def _inside(self, branch: Branch) -> Checker:
        scope = Scope(self._plan.settings, self._checker.source, relation=branch.relation, scan=branch.probe)
        return self._checker.within(scope)

    def _part(self, inner: Checker, branch: Branch, base: str, node: exp.Expr) -> Placed:
        """A term about what came after what; around it AND, OR and NOT go with plain terms."""
        if not asked(node):
            return Placed(sql=self._stream.column(branch, inner.condition(node), sql_type(YES_NO)), level=0)
        if isinstance(node, exp.Paren):
            return self._part(inner, branch, base, node.this)
        if isinstance(node, exp.Not):
            part = self._part(inner, branch, base, node.this)
            return Placed(sql=f"(not {part.sql})", level=part.level)
        if isinstance(node, exp.And | exp.Or):
            kind, word = (exp.And, " and ") if isinstance(node, exp.And) else (exp.Or, " or ")
            parts = [self._part(inner, branch, base, part) for part in operands(node, kind)]
            return Placed(sql=f"({word.join(p.sql for p in parts)})", level=max(p.level for p in parts))
        call = node.this if isinstance(node, exp.Filter) else node
        if not isinstance(call, exp.Anonymous) or not _named(call):
            raise self._error("followed_by(), preceded_by() and nth() go with and, or and not only", node)
        if _named(call) == NTH:
            return self._nth(branch, base, call)
        where = node.expression.this if isinstance(node, exp.Filter) else None
        return self._neighbour(branch, call, where)

    def _nth(self, branch: Branch, base: str, call: exp.Anonymous) -> Placed:
        number = arguments(self._checker, call, 1, 1)[0]
        last = isinstance(number, exp.Neg)
        digits = number.this if last else number
        if not isinstance(digits, exp.Literal) or not str(digits.this).isdigit() or int(str(digits.this)) == 0:
            raise self._error("nth() needs a whole number: 1 is the first, -1 the last", call)
        schema = self._plan.settings.schemas[branch.relation.dataset]
        keys = [self._stream.column(branch, f"r.{quote(key)}", schema.types[key]) for key in schema.key]
        down = " desc" if last else ""
        order = ", ".join(f"{column}{down}" for column in (AT, *keys))
        window = f"row_number() over (partition by r.{self._link}, {base} order by {order})"
        found = self._stream.window(window, 1)
        return Placed(sql=f"({found} = {int(str(digits.this))})", level=1)

    def _neighbour(self, branch: Branch, call: exp.Anonymous, where: exp.Expr | None) -> Placed:
        given = arguments(self._checker, call, 1, 2)
        other = self._relation(given[0], call)
        target = self.counted(other, where)
        level = target.level + 1
        after = _named(call) == FOLLOWED
        if len(given) == 1:
            return Placed(sql=f"({self._nearest(target, after, level)} is not null)", level=level)
        written = self._checker.text_literal(given[1], f"{_named(call)}()")
        if written.strip().lower() == SAME_DAY:
            return Placed(sql=self._same_day(target, after, level), level=level)
        try:
            period = parse_period(written)
        except PeriodError as err:
            raise self._error(str(err), given[1]) from None
        near = self._nearest(target, after, level)
        bound = shifted_sql(self._checker, Typed(kind=TIME, node=call, sql=AT), period, 1 if after else -1)
        if not after:
            return Placed(sql=f"coalesce({near} >= {bound}, false)", level=level)
        self._remember(branch, period)
        over = f"{bound} < {self._plan.now()}"
        return Placed(sql=f"(case when {near} <= {bound} then true when {over} then false end)", level=level)

    def _nearest(self, target: Placed, after: bool, level: int) -> str:
        """The time of the nearest row of ``target`` on one side of each row."""
        least, down = ("min", " desc") if after else ("max", "")
        over = f"partition by r.{self._link} order by {AT}{down} {STRICT}"
        return self._stream.window(f"{least}(case when {target.sql} then {AT} end) over ({over})", level)

    def _same_day(self, target: Placed, after: bool, level: int) -> str:
        day = zones.day_sql(AT, TIME, self._plan)
        over = f"partition by r.{self._link}, {day} order by {AT}{' desc' if after else ''} {TIES}"
        found = self._stream.window(f"count(case when {target.sql} then 1 end) over ({over})", level)
        others = f"({found} > case when {target.sql} then 1 else 0 end)"
        if not after:
            return others
        self._plan.clocked = True
        today = self._plan.bind(zones.day_of(self._plan.settings.now, self._plan.settings.zone), DATE)
        return f"(case when {others} then true when {day} < {today} then false end)"

    def _remember(self, branch: Branch, period: Period) -> None:
        """When the period after a row is over, that nothing followed becomes known."""
        time, settings = branch.relation.time, self._plan.settings
        if time is None or period.months or kind_of(branch.relation.columns[time]) != TIME:
            self._plan.clocked = True
            return
        dataset = branch.relation.dataset
        found = Window(dataset=dataset, column=time, is_date=False, period=period, zone=settings.zone)
        self._plan.windows.add(found)

    def _relation(self, node: exp.Expr, call: exp.Anonymous) -> Relation:
        settings = self._plan.settings
        if not isinstance(node, exp.Column) or len(node.parts) != 1:
            raise self._error(f"{_named(call)}() needs a relation, such as {_named(call)}(orders, '3 days')", call)
        name = node.name.lower()
        found = relation_of(name, settings.entity, settings.schemas)
        if found is None:
            known = relation_names(settings.entity, settings.schemas)
            raise self._error(f'unknown relation "{name}".{nearest(name, known)}', node)
        return found

    def _error(self, message: str, node: exp.Expr | None) -> Exception:
        return self._checker.source.error(message, node=node)


def _named(call: exp.Anonymous) -> str:
    name = str(call.this).lower()
    return name if name in (FOLLOWED, PRECEDED, NTH) else ""
