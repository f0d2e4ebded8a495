"""Make merges in one commit: any number of them, set-based, with every row that is attached to the records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sfactl.identity import merging, moving, survivorship
from sfactl.identity.usecases.rules import read_rules
from sfactl.schemas.references import ENTITIES
from sfactl.workspace.aliases import ALIASES

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.schemas import Dataset
    from sfactl.session import Session
    from sfactl.workspace import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be merged beside the pairs: the entity, the rules, and what the history says about it."""

    entity: str
    rules: Mapping[str, str] = field(default_factory=dict)
    picks: Mapping[str, int] = field(default_factory=dict)
    reason: str | None = None
    plan_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What was merged: the first merge's number, how many, and the rows that moved, were set aside or were added."""

    first: int
    merges: int
    moved: Mapping[str, int]
    set_aside: Mapping[str, int]
    added: Mapping[str, int]


def order_for(session: Session, entity: str, **values: Any) -> Order:
    """An order with the workspace's rules for ``entity``."""
    return Order(entity=entity, rules=read_rules(session, entity), **values)


@contextmanager
def writing(session: Session, entity: str, *, reason: str | None = None) -> Iterator[Transaction]:
    """A transaction that may write everything that a merge of ``entity`` touches."""
    touched = {a.dataset.name for a in moving.attached_to(session.workspace.schemas, entity)}
    touched |= {ENTITIES[entity][0], "merges", "merge_moves", "match_decisions", ALIASES}
    if entity == "lead":
        touched |= set(merging.LEAD_DATASETS)
    with session.write(*sorted(touched), reason=reason) as tx:
        yield tx


def prepare(session: Session, query: Query, order: Order, first: int) -> None:
    """Make ``pairs``, ``members`` and ``final`` from the table ``asked``."""
    dataset = session.workspace.schemas[ENTITIES[order.entity][0]]
    query.run(f"create or replace temp table pairs as {query.statement('identity', 'merge_pairs')}", {"first": first})
    query.run(f"create or replace temp table members as {merging.members(dataset, order.entity)}")
    chosen = survivorship.choices(dataset, order.entity, order.rules, order.picks)
    sql = survivorship.survivors(dataset, order.entity, chosen)
    query.run(f"create or replace temp table final as {sql}", {"now": session.now()})


def perform(session: Session, tx: Transaction, order: Order) -> Done:
    """Stage the merges of the table ``asked`` (survivor_id, merged_id, place, probability); the caller commits.

    All records must be there, no survivor may be merged in the same go, and a record into one survivor only.
    """
    query = tx.query
    (count,) = query.one("select count(*) from asked") or (0,)
    first = session.reserve("merge", count)
    prepare(session, query, order, first)
    writer = _Writer(session, tx, order)
    writer.records()
    for attached in moving.attached_to(session.workspace.schemas, order.entity):
        writer.move(attached)
    if order.entity == "lead":
        writer.keys_of_leads()
    writer.decisions()
    writer.history()
    return Done(first=first, merges=count, moved=writer.moved, set_aside=writer.set_aside, added=writer.added)


class _Writer:
    """Stages the rows of one order, and counts them by dataset."""

    def __init__(self, session: Session, tx: Transaction, order: Order) -> None:
        self.moved: dict[str, int] = {}
        self.set_aside: dict[str, int] = {}
        self.added: dict[str, int] = {}
        self._session = session
        self._tx = tx
        self._order = order
        self._notes: list[str] = []
        self._now = {"now": session.now()}

    @property
    def _dataset(self) -> Dataset:
        return self._session.workspace.schemas[ENTITIES[self._order.entity][0]]

    def records(self) -> None:
        """The survivors as they are now; the merged records go."""
        name, key = ENTITIES[self._order.entity]
        self._tx.upsert(name, "select * from final")
        self._tx.delete(name, f"select merged_id as {key} from pairs")

    def move(self, attached: moving.Attached) -> None:
        """Give the rows of one dataset to the survivors."""
        name = attached.dataset.name
        if not self._session.workspace.snapshot(self._tx.query.seq).files(name):
            return
        query, table = self._tx.query, attached.table
        query.run(f"create or replace temp table {table} as {moving.moving(attached, self._order.entity)}")
        (rows,) = query.one(f"select count(*) from {table}") or (0,)
        if not rows:
            return
        if attached.keyed:
            self._tx.delete(name, moving.keys_of(attached))
        kept = self._tx.upsert(name, moving.moved_rows(attached))
        self._notes.append(moving.notes(attached))
        self.moved[name] = kept
        if rows > kept:
            self.set_aside[name] = rows - kept

    def keys_of_leads(self) -> None:
        """What a merged lead was known by leads to the survivor; who had unsubscribed stays so; the stage is told."""
        self._add("identities", "merge_keys")
        self._add("suppressions", "merge_opted_out")
        stages = self._tx.query.statement("identity", "merge_stages")
        self._tx.append("stage_events", stages, {**self._now, "actor": self._session.actor})

    def decisions(self) -> None:
        """What was decided about a merged record and a third one holds for the survivor."""
        if self._session.workspace.snapshot(self._tx.query.seq).files("match_decisions"):
            self._add("match_decisions", "merge_decisions")

    def _add(self, name: str, statement: str) -> None:
        """Add rows, with a note of each so that an unmerge takes them away again."""
        query, table = self._tx.query, f"adding_{name}"
        params = {**self._now, "entity": self._order.entity}
        query.run(f"create or replace temp table {table} as {query.statement('identity', statement)}", params)
        dataset = self._session.workspace.schemas[name]
        columns = ", ".join(moving.quoted(c.name) for c in dataset.columns)
        if added := self._tx.upsert(name, f"select {columns} from {table}"):
            self._notes.append(merging.added_notes(dataset, table))
            self.added[name] = added

    def history(self) -> None:
        """The merges themselves, the aliases, and what moved."""
        order, session = self._order, self._session
        params = {
            **self._now,
            "actor": session.actor,
            "reason": order.reason,
            "plan": order.plan_id,
            "rules": merging.rules_text(order.rules, order.picks),
        }
        self._tx.upsert("merges", merging.merge_rows(self._dataset, order.entity), params)
        aliases = self._tx.query.statement("identity", "merge_aliases")
        self._tx.upsert(ALIASES, aliases, {"entity": order.entity})
        if self._notes:
            self._tx.upsert("merge_moves", " union all ".join(self._notes), self._now)
