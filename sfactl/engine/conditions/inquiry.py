"""Ask of one entity every simple test of a condition, those of segments it depends on included, and what could be
changed about each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlglot import exp

from sfactl.engine.conditions import sequences
from sfactl.engine.conditions.aggregates import NAMES, folded_tag
from sfactl.engine.conditions.compile import check, segment_levels, settings_of
from sfactl.engine.conditions.entity import Relation, relation_of
from sfactl.engine.conditions.evidence import rows_sql
from sfactl.engine.conditions.expressions import Checker
from sfactl.engine.conditions.kinds import NULL
from sfactl.engine.conditions.model import Condition, SchemaLookup, Window
from sfactl.engine.conditions.needs import bare, called, need_of, subject_of
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.remedies import Branch, Leaf, Tree, candidates, meets
from sfactl.engine.conditions.scope import Scope
from sfactl.engine.conditions.source import Source, operands
from sfactl.engine.conditions.typed import sql_of

HOLDS = "_holds"
ALL_ROWS = 1_000_000
EditKind = Literal["field", "rows", "score", "tag", "membership"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """How a subject is changed: a ``field`` of the entity, the score, tag or membership ``name``, or rows of
    ``dataset``.

    For rows ``matching`` are those that count, ``function`` what is asked of ``column``, and ``template`` what a new
    row must hold (None: a row that counts cannot be made up).
    """

    kind: EditKind
    name: str = ""
    value: str | None = None
    dataset: str = ""
    function: str = ""
    column: str | None = None
    matching: str = ""
    params: Mapping[str, object] | None = None
    template: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something a test is about: its name in words, and how to change it."""

    text: str
    edit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A statement that answers one row about the entity ``$key``, and what its columns mean.

    ``windows`` are what passing time can change, None where it may change anything.
    """

    sql: str
    params: Mapping[str, object]
    tree: Tree
    subjects: Mapping[str, Subject]
    relations: tuple[str, ...]
    link: str
    entity: str
    keys: Mapping[str, tuple[str, ...]]
    times: Mapping[str, str | None]
    now: datetime
    windows: tuple[Window, ...] | None


def inquire(
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
    using: Sequence[Condition] = (),
) -> Inquiry:
    """Compile ``text`` test by test. Raises `ConditionError`."""
    plan = Plan(settings_of(entity, schemas, now, segments, scores, tags, layers))
    source = Source(text=text, where=where)
    levels, members = segment_levels(plan, using)
    nested = {c.name: Source(text=c.text, where=c.where) for c in using}
    tree = source.parse()
    columns = [f"{check(plan, source, tree, members)} as {quote(HOLDS)}"]
    growing = _Growing(plan, members, nested, columns)
    found = growing.grow(source, tree)
    sql = plan.statement([*levels, columns], one=True)
    relations = plan.relations()
    return Inquiry(
        sql=sql,
        params=plan.used(sql),
        tree=found,
        subjects=growing.subjects,
        relations=relations,
        link=plan.settings.entity.link or "",
        entity=plan.settings.entity.dataset,
        keys={name: schemas[name].key for name in relations},
        times={name: _time(plan, name) for name in relations},
        now=now,
        windows=plan.passing(),
    )


def _time(plan: Plan, name: str) -> str | None:
    found = relation_of(name, plan.settings.entity, plan.settings.schemas)
    return found.time if found else None


class _Growing:
    """Turns a condition into its tree of tests and collects their columns and subjects."""

    def __init__(
        self, plan: Plan, members: Mapping[str, str], nested: Mapping[str, Source], columns: list[str]
    ) -> None:
        self._plan = plan
        self._members = members
        self._nested = nested
        self._columns = columns
        self.subjects: dict[str, Subject] = {}

    def grow(self, source: Source, node: exp.Expr) -> Tree:
        """The tree of ``node``."""
        if isinstance(node, exp.Paren):
            return self.grow(source, node.this)
        if isinstance(node, exp.Not):
            return Branch(word="not", parts=(self.grow(source, node.this),))
        if isinstance(node, exp.And | exp.Or):
            kind, word = (exp.And, "and") if isinstance(node, exp.And) else (exp.Or, "or")
            return Branch(word=word, parts=tuple(self.grow(source, part) for part in operands(node, kind)))
        if (call := called(node, "member_of")) and str(call.expressions[0].this) in self._nested:
            inner = self._nested[str(call.expressions[0].this)]
            return self.grow(inner, inner.parse())
        return self._leaf(source, node)

    def _leaf(self, source: Source, node: exp.Expr) -> Leaf:
        checker = Checker(self._plan, Scope(self._plan.settings, source), self._members)
        number = len(self._columns)
        truth = f"_t{number}"
        self._columns.append(f"{checker.condition(node)} as {quote(truth)}")
        need, subject = need_of(checker, node), subject_of(checker, node)
        if need is None:
            return Leaf(truth=truth)
        about = subject.node if subject is not None else node
        edit = self._edit(checker, about)
        name = about.sql() if edit is not None else None
        if edit is not None and name is not None:
            self.subjects.setdefault(name, Subject(text=need.subject, edit=edit))
        value = None
        if subject is not None and subject.kind != NULL:
            value = f"_v{number}"
            self._columns.append(f"{sql_of(subject, self._plan)} as {quote(value)}")
        return Leaf(truth=truth, value=value, need=need, subject=name)

    def _edit(self, checker: Checker, node: exp.Expr) -> Edit | None:
        while isinstance(node, exp.Paren | exp.Coalesce):
            node = node.this
        if isinstance(node, exp.Column):
            return self._field(node)
        if call := called(node, "tag"):
            given = [str(part.this) for part in call.expressions]
            return Edit(kind="tag", name=folded_tag(given[0]), value=given[1] if len(given) == 2 else None)
        if call := called(node, "member_of"):
            return Edit(kind="membership", name=str(call.expressions[0].this))
        inner, where = (node.this, node.expression.this) if isinstance(node, exp.Filter) else (node, None)
        if type(inner) not in NAMES or isinstance(inner.this, exp.Distinct) or not isinstance(inner.this, exp.Column):
            return None
        return self._rows(checker, inner, where)

    def _field(self, node: exp.Column) -> Edit | None:
        parts = [part.name for part in node.parts]
        entity = self._plan.settings.entity
        if len(parts) == 2 and parts[0].lower() == "score":
            return Edit(kind="score", name=parts[1])
        name = parts[-1].lower()
        return Edit(kind="field", name=name) if name in entity.columns and name not in entity.key else None

    def _rows(self, checker: Checker, call: exp.Expr, where: exp.Expr | None) -> Edit | None:
        settings = self._plan.settings
        parts = [part.name.lower() for part in call.this.parts]
        relation = relation_of(parts[0], settings.entity, settings.schemas)
        if relation is None:
            return None
        plan = Plan(settings)
        matching = rows_sql(plan, checker.source, relation, where, ALL_ROWS)
        star = len(parts) == 1 or isinstance(call.this.this, exp.Star)
        return Edit(
            kind="rows",
            dataset=relation.dataset,
            function=NAMES[type(call)],
            column=None if star else parts[1],
            matching=matching,
            params=plan.used(matching),
            template=_template(checker, relation, where),
        )


def _template(checker: Checker, relation: Relation, where: exp.Expr | None) -> Mapping[str, object] | None:
    """Values with which a new row of ``relation`` meets ``where``; None where that cannot be told from its terms."""
    if where is None:
        return {}
    if sequences.asked(where):
        return None
    plan = Plan(checker.plan.settings)
    scan = plan.scan(relation.dataset, relation.time)
    inner = Checker(plan, Scope(plan.settings, checker.source, relation=relation, scan=scan))
    made: dict[str, object] = {}
    for term in operands(where, exp.And):
        node, negated = bare(term)
        if (call := called(node, "within")) and len(call.expressions) == 1 and not negated:
            continue
        need = need_of(inner, node)
        columns = [column.name.lower() for column in node.find_all(exp.Column)]
        if need is None or len(columns) != 1 or columns[0] not in relation.columns:
            return None
        value = next((c.value for c in candidates([need], None) if meets(need, c.value) is not negated), _NOTHING)
        if value is _NOTHING:
            return None
        made[columns[0]] = value
    return made


_NOTHING = object()
