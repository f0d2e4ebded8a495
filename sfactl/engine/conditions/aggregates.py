"""What a condition may ask of many rows: count, sum, avg, min, max, has, membership and stored scores.

Every aggregate becomes one column of the single scan of its relation. Rows later than now are never seen. Of no rows,
count is 0, has is false, and sum, avg, min and max are null.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions import sequences
from sfactl.engine.conditions.arguments import arguments
from sfactl.engine.conditions.entity import Relation, relation_names, relation_of
from sfactl.engine.conditions.kinds import BIGINT, DOUBLE, TEXT, Kind, sql_type, sum_kind
from sfactl.engine.conditions.moments import own_window_start
from sfactl.engine.conditions.plan import quote
from sfactl.engine.conditions.scans import ROW, Aggregate, Function, Scan
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import nearest, operands
from sfactl.engine.conditions.typed import Typed

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker

NAMES: Mapping[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
}
SCORES, MEMBERS, TAGS, LAYERS = "scores", "segment_members", "tags", "layers"
LAYER_PARTS: Mapping[str, Kind] = {
    "class": TEXT,
    "code": TEXT,
    "value": DOUBLE,
    "recency": BIGINT,
    "frequency": BIGINT,
    "third": BIGINT,
}
"""What may be asked of a layer; the class where nothing is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One aggregate as written: the function, its argument, and the FILTER around it.

    ``more`` are the other arguments of count(distinct …).
    """

    name: str
    argument: exp.Expr
    more: tuple[exp.Expr, ...] = ()
    distinct: bool
    where: exp.Expr | None
    node: exp.Expr


def value(checker: Checker, node: exp.Expr) -> Typed | None:
    """The result of an aggregate, or None where the node is not one."""
    if isinstance(node, exp.Anonymous) and not checker.scope.inside:
        name = str(node.this).lower()
        if name in _KEPT:
            return _KEPT[name](checker, node)
    sequences.refuse(checker, node)
    call = _call(checker, node)
    if call is None:
        return None
    if checker.scope.inside:
        raise checker.source.error(f"{call.name}() does not go inside an aggregate", node=node)
    return _aggregate(checker, call)


def filter_terms(
    checker: Checker, relation: Relation, node: exp.Expr | None
) -> tuple[tuple[str, ...], datetime | None]:
    """The condition of a FILTER over ``relation`` as SQL terms joined by AND, and how far back its window reaches."""
    counting = checker.plan.counting(relation)
    if node is None:
        return counting, None
    scan = checker.plan.scan(relation.dataset, relation.time)
    inner = checker.within(Scope(checker.plan.settings, checker.source, relation=relation, scan=scan))
    nodes = list(operands(node, exp.And))
    terms = tuple(inner.condition(term) for term in nodes)
    starts = [own_window_start(inner, term) for term in nodes]
    return (*terms, *counting), max((start for start in starts if start is not None), default=None)


def stored_score(checker: Checker, node: exp.Column) -> Typed:
    """``score.NAME``, the stored points of a lead, or ``score.NAME.grade``. Null where it was never scored."""
    parts = [part.name for part in node.parts]
    name, column = parts[1], parts[2].lower() if len(parts) == 3 else "points"
    settings = checker.plan.settings
    if len(parts) > 3 or column not in ("points", "grade"):
        raise checker.source.error("write score.NAME or score.NAME.grade", node=node)
    if settings.scores is not None and name not in settings.scores:
        raise checker.source.error(f'unknown score "{name}".{nearest(name, settings.scores)}', node=node)
    _need_relation(checker, SCORES, node)
    checker.plan.scores.add(name)
    scan = checker.plan.scan(SCORES, None)
    kind = TEXT if column == "grade" else DOUBLE
    term = f'(r."score" = {checker.plan.bind(name, TEXT)})'
    wanted = Aggregate(function="max", argument=f"r.{quote(column)}", terms=(term,), type=sql_type(kind))
    return Typed(kind=kind, node=node, sql=checker.plan.aggregate(scan, wanted))


def stored_layer(checker: Checker, node: exp.Column) -> Typed:
    """``layer.NAME``, the class of a customer, or ``layer.NAME.PART``. Null for those who are in no class of it."""
    parts = [part.name for part in node.parts]
    name, part = parts[1], parts[2].lower() if len(parts) == 3 else "class"
    if len(parts) > 3 or part not in LAYER_PARTS:
        said = f"write layer.NAME, or layer.NAME.PART with one of {', '.join(LAYER_PARTS)}"
        raise checker.source.error(said, node=node)
    known = checker.plan.settings.layers
    if known is not None and name not in known:
        raise checker.source.error(f'unknown layer "{name}".{nearest(name, known)}', node=node)
    _need_relation(checker, LAYERS, node)
    scan = checker.plan.scan(LAYERS, None)
    kind = LAYER_PARTS[part]
    term = f'(r."layer" = {checker.plan.bind(name, TEXT)})'
    wanted = Aggregate(function="max", argument=f"r.{quote(part)}", terms=(term,), type=sql_type(kind))
    return Typed(kind=kind, node=node, sql=checker.plan.aggregate(scan, wanted))


def _member_of(checker: Checker, node: exp.Expr) -> Typed:
    argument = arguments(checker, node, 1, 1)[0]
    name = checker.text_literal(argument, "member_of()")
    settings = checker.plan.settings
    if settings.segments is not None and name not in settings.segments:
        raise checker.source.error(f'unknown segment "{name}".{nearest(name, settings.segments)}', node=argument)
    if name in checker.members:
        return checker.yes_no(node, quote(checker.members[name]))
    _need_relation(checker, MEMBERS, node)
    checker.plan.segments.add(name)
    scan = checker.plan.scan(MEMBERS, None)
    term = f'(r."segment" = {checker.plan.bind(name, TEXT)})'
    found = checker.plan.aggregate(scan, Aggregate(function="count", argument="", terms=(term,), type=ROW))
    return checker.yes_no(node, f"(coalesce({found}, 0) > 0)")


def _tag(checker: Checker, node: exp.Expr) -> Typed:
    """``tag('vip')``, or ``tag('tier', 'gold')`` for a tag with that value: whoever gave it, while it counts."""
    given = arguments(checker, node, 1, 2)
    name = folded_tag(checker.text_literal(given[0], "tag()"))
    known = checker.plan.settings.tags
    if known is not None and name not in known:
        raise checker.source.error(f'unknown tag "{name}".{nearest(name, known)}', node=given[0])
    relation = _need_relation(checker, TAGS, node)
    scan = checker.plan.scan(TAGS, relation.time)
    terms = [f'(r."tag" = {checker.plan.bind(name, TEXT)})']
    if len(given) == 2:
        terms.append(f'(r."value" = {checker.plan.bind(checker.text_literal(given[1], "tag()"), TEXT)})')
    wanted = Aggregate(function="count", argument="", terms=(*terms, *checker.plan.counting(relation)), type=ROW)
    return checker.yes_no(node, f"(coalesce({checker.plan.aggregate(scan, wanted)}, 0) > 0)")


def folded_tag(name: str) -> str:
    """A tag as it is stored: compatibility forms and capitals folded, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", name).lower().split())


_KEPT: Mapping[str, Callable[[Checker, exp.Expr], Typed]] = {"member_of": _member_of, "tag": _tag}
"""Functions that ask for what is stored about the entity."""


def _need_relation(checker: Checker, dataset: str, node: exp.Expr) -> Relation:
    settings = checker.plan.settings
    relation = relation_of(dataset, settings.entity, settings.schemas)
    if relation is None:
        raise checker.source.error(f"a {settings.entity.singular} has no {dataset}", node=node)
    return relation


def _call(checker: Checker, node: exp.Expr) -> Call | None:
    where = None
    outer = node
    if isinstance(node, exp.Filter):
        where, node = node.expression.this, node.this
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "has":
        argument = arguments(checker, node, 1, 1)[0]
        return Call(name="has", argument=argument, distinct=False, where=where, node=outer)
    if type(node) not in NAMES:
        if where is not None:
            raise checker.source.error("FILTER goes with count, sum, avg, min, max or has", node=node)
        return None
    name = NAMES[type(node)]
    argument = node.this
    if node.expressions:
        raise checker.source.error(f"{name}() takes 1 argument", node=node)
    distinct = isinstance(argument, exp.Distinct)
    if distinct:
        argument, *more = argument.expressions
        return Call(name=name, argument=argument, more=tuple(more), distinct=True, where=where, node=outer)
    return Call(name=name, argument=argument, distinct=False, where=where, node=outer)


def _aggregate(checker: Checker, call: Call) -> Typed:
    relation, column = _argument(checker, call)
    scan, terms, since = _rows(checker, relation, call.where)

    def asked(function: Function, argument: str = "", kind: str = ROW) -> str:
        wanted = Aggregate(function=function, argument=argument, terms=terms, type=kind, since=since)
        return checker.plan.aggregate(scan, wanted)

    if column is None:
        found = f"coalesce({asked('count')}, 0)"
        if call.name == "has":
            return checker.yes_no(call.node, f"({found} > 0)")
        return Typed(kind=BIGINT, node=call.node, sql=found)
    value = _argument_value(checker, call, relation, scan)
    _check_column(checker, call, value)
    if scan.stream is not None:
        value = replace(value, sql=sequences.carried(checker, scan, relation, value))
    kind = sql_type(value.kind)
    if call.name == "count":
        function: Function = "count distinct" if call.distinct else "count"
        return Typed(kind=BIGINT, node=call.node, sql=f"coalesce({asked(function, value.sql, kind)}, 0)")
    if call.name in ("min", "max"):
        return Typed(
            kind=value.kind, node=call.node, sql=asked("min" if call.name == "min" else "max", value.sql, kind)
        )
    # Engines differ in the type of a sum; the cast settles it, outside of the scan.
    total = asked("sum", value.sql, kind)
    if call.name == "avg":
        mean = f"(cast({total} as double) / nullif({asked('count', value.sql, kind)}, 0))"
        return Typed(kind=DOUBLE, node=call.node, sql=mean)
    summed = sum_kind(value.kind)
    return Typed(kind=summed, node=call.node, sql=f"cast({total} as {sql_type(summed)})")


def _rows(
    checker: Checker, relation: Relation, where: exp.Expr | None
) -> tuple[Scan, tuple[str, ...], datetime | None]:
    """The pass over the rows that are asked, the terms that they must meet, and how far back they reach."""
    if where is not None and sequences.asked(where):
        return (*sequences.filtered(checker, relation, where), None)
    return (checker.plan.scan(relation.dataset, relation.time), *filter_terms(checker, relation, where))


def _check_column(checker: Checker, call: Call, value: Typed) -> None:
    if call.distinct and call.name != "count":
        raise checker.source.error("distinct goes with count only", node=call.node)
    if call.name in ("min", "max") and value.kind.name not in ("number", "text", "date", "time"):
        raise checker.source.error(f"{call.name}() of {value.kind.phrase} has no meaning", node=call.argument)
    if call.name in ("sum", "avg") and value.kind.name != "number":
        said = f"{call.name}() needs numbers, but {checker.source.slice(call.argument)} is {value.kind.phrase}"
        raise checker.source.error(said, node=call.argument)


def _argument(checker: Checker, call: Call) -> tuple[Relation, exp.Expr | None]:
    """The relation that is asked, and what is asked of its rows where that is more than that they are there."""
    settings = checker.plan.settings
    argument = call.argument
    first = argument if isinstance(argument, exp.Column) else next(_qualified(argument), None)
    if first is None or (first is not argument and call.name == "has"):
        raise checker.source.error(
            f"{call.name}() needs a relation, such as {call.name}({_example(call)})", node=call.node
        )
    parts = [part.name.lower() for part in first.parts]
    relation = relation_of(parts[0], settings.entity, settings.schemas)
    if relation is None:
        known = relation_names(settings.entity, settings.schemas)
        raise checker.source.error(f'unknown relation "{parts[0]}".{nearest(parts[0], known)}', node=first)
    bare = len(parts) == 1 or isinstance(first.this, exp.Star)
    if bare and call.name not in ("count", "has"):
        said = f"{call.name}() needs a column, such as {call.name}({parts[0]}.{_number_column(relation)})"
        raise checker.source.error(said, node=argument)
    if bare and call.distinct:
        raise checker.source.error(f"count(distinct …) needs a column of {parts[0]}", node=argument)
    if not bare and call.name == "has":
        raise checker.source.error(f"has() needs a relation, not a column. Write has({parts[0]})", node=argument)
    return relation, None if bare else argument


def _qualified(node: exp.Expr) -> Iterator[exp.Column]:
    """The columns below ``node`` that say of which relation they are."""
    return (column for column in node.find_all(exp.Column) if len(column.parts) > 1)


def _argument_value(checker: Checker, call: Call, relation: Relation, scan: Scan) -> Typed:
    """What is asked of one row of ``relation``: a column, or an expression over its columns."""
    probe = scan if scan.stream is None else scan.stream.branches[relation.dataset].probe
    inner = checker.within(Scope(checker.plan.settings, checker.source, relation=relation, scan=probe))
    values = [inner.value(argument) for argument in (call.argument, *call.more)]
    if len(values) == 1 and values[0].sql:
        return values[0]
    if any(not value.sql for value in values):
        raise checker.source.error(f"{call.name}() needs a column of {relation.dataset}", node=call.node)
    # Several values count as one text; a row in which one of them is missing does not count.
    parts = " || chr(31) || ".join(f"cast({value.sql} as varchar)" for value in values)
    return Typed(kind=TEXT, node=call.node, sql=f"({parts})")


def _example(call: Call) -> str:
    return "orders" if call.name in ("count", "has") else "orders.amount"


def _number_column(relation: Relation) -> str:
    numbers = (name for name, kind in relation.columns.items() if kind.startswith(("decimal", "double")))
    return next(numbers, "column")
