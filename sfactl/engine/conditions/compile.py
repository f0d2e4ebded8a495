"""Compile conditions into one statement: one pass over the entity and one over each relation, however many they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from sfactl.api.errors import ConditionError
from sfactl.engine.conditions.entity import entity_of
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.model import Compiled, CompiledMany, Condition, SchemaLookup, Settings
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source


def compile_condition(
    text: str,
    *,
    entity: str = "leads",
    schemas: SchemaLookup,
    now: datetime,
    where: str = "",
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    layers: Collection[str] | None = None,
) -> Compiled:
    """Compile ``text`` into a SELECT that answers the keys of the members of ``entity`` as of ``now`` (naive UTC).

    ``where`` (``file: key``) starts the messages. ``segments``, ``scores``, ``tags`` and ``layers`` are the names that
    exist; None leaves them unchecked. Raises `ConditionError`.
    """
    plan = Plan(settings_of(entity, schemas, now, segments, scores, tags, layers))
    test = check(plan, Source(text=text, where=where))
    sql = plan.statement([[]], where=test)
    return Compiled(
        sql=sql,
        params=plan.used(sql),
        relations=plan.relations(),
        segments=tuple(sorted(plan.segments)),
        scores=tuple(sorted(plan.scores)),
    )


def compile_many(
    conditions: Sequence[Condition],
    *,
    entity: str = "leads",
    schemas: SchemaLookup,
    now: datetime,
    members_only: bool = False,
    as_segments: bool = False,
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    layers: Collection[str] | None = None,
) -> CompiledMany:
    """Compile many conditions into one statement with a boolean column for each, never null.

    With ``members_only`` rows without any true column are left out. With ``as_segments`` the conditions are segments by
    their names: ``member_of`` of one of them means its value in this statement, not the stored membership, and a circle
    is an error. Raises `ConditionError`.
    """
    plan = Plan(settings_of(entity, schemas, now, segments, scores, tags, layers))
    levels, columns = segment_levels(plan, conditions, linked=as_segments)
    any_of = " or ".join(quote(column) for column in columns.values())
    only = members_only and bool(columns)
    shape = [*levels, []] if only else levels or [[]]
    where = any_of if only else None
    sql = plan.statement(shape, where=where)
    return CompiledMany(
        sql=sql,
        among_sql=plan.statement(shape, where=where, among=True),
        windows=plan.passing(),
        since=plan.since(),
        params=plan.used(sql),
        columns=columns,
        relations=plan.relations(),
        segments=tuple(sorted(plan.segments)),
        scores=tuple(sorted(plan.scores)),
    )


def segment_levels(
    plan: Plan, conditions: Sequence[Condition], *, linked: bool = True
) -> tuple[list[list[str]], dict[str, str]]:
    """The columns of ``conditions`` in levels, and the column of each; with ``linked`` they may ask for each other."""
    sources = {c.name: Source(text=c.text, where=c.where) for c in conditions}
    trees = {name: source.parse() for name, source in sources.items()}
    columns = {name: f"_c{number}" for number, name in enumerate(trees)}
    levels: list[list[str]] = []
    for rank in levels_of(trees, sources) if linked else [list(trees)]:
        checked = {name: check(plan, sources[name], trees[name], columns if linked else None) for name in rank}
        levels.append([f"coalesce({sql}, false) as {quote(columns[name])}" for name, sql in checked.items()])
    return [level for level in levels if level], columns


def check(plan: Plan, source: Source, tree: exp.Expr | None = None, members: Mapping[str, str] | None = None) -> str:
    """Check one condition about the entity and add what it needs to ``plan``; answers its SQL expression."""
    try:
        return Checker(plan, Scope(plan.settings, source), members).condition(tree or source.parse())
    except RecursionError:
        raise source.error("the condition is nested too deeply", at=0) from None


def settings_of(
    entity: str,
    schemas: SchemaLookup,
    now: datetime,
    segments: Collection[str] | None = None,
    scores: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    layers: Collection[str] | None = None,
) -> Settings:
    """What a compilation about ``entity`` depends on."""
    return Settings(
        entity=entity_of(entity, schemas),
        schemas=schemas,
        now=now,
        zone=schemas.zone,
        segments=None if segments is None else frozenset(segments),
        scores=None if scores is None else frozenset(scores),
        tags=None if tags is None else frozenset(tags),
        layers=None if layers is None else frozenset(layers),
    )


def segments_in(tree: exp.Expr) -> list[str]:
    """The segments that a parsed condition names in ``member_of``."""
    calls = (call for call in tree.find_all(exp.Anonymous) if str(call.this).lower() == "member_of")
    return [str(arg.this) for call in calls for arg in call.expressions if isinstance(arg, exp.Literal)]


def levels_of(trees: Mapping[str, exp.Expr], sources: Mapping[str, Source]) -> list[list[str]]:
    """The names in ranks: each rank asks only for segments of ranks before it. A circle raises `ConditionError`."""
    graph = {name: [used for used in segments_in(tree) if used in trees] for name, tree in trees.items()}
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as err:
        circle = list(reversed(err.args[1]))
        where = sources[circle[0]].where
        said = f"segments depend on each other: {' → '.join(circle)}"
        raise ConditionError(f"{where}: {said}" if where else said) from None
    ranks: list[list[str]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=list(trees).index)
        ranks.append(ready)
        sorter.done(*ready)
    return ranks or [[]]
