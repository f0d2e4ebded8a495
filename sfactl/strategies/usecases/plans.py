"""Make, compare and approve plans of strategies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.approvals.actors import check_approver
from sfactl.campaigns.model import lateness
from sfactl.campaigns.usecases.guarding import overstepped
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.strategies.asking import audience_text
from sfactl.strategies.book import Book
from sfactl.strategies.drawing import does
from sfactl.strategies.files import senders_of, touches
from sfactl.strategies.planning import EFFECTS, Count, Draft, content_version, draft
from sfactl.strategies.usecases.scene import (
    KIND,
    PlanRow,
    book_of,
    check_senders,
    find_plan,
    halted_by,
    plan_rows,
    plan_table,
    scope_of,
    work_out,
)

if TYPE_CHECKING:
    import pyarrow as pa

_COMPARED = "select lead_id, rotation, step, action, reason, to_step, recipient, owner, inputs from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How many leads joined and left an action at a step since the plan before."""

    step: str
    action: str
    joined: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan and what there is to know before it is applied.

    ``does`` says of each step what it does, ``minutes`` is the hand work that the effects save.
    """

    plan_id: str
    strategy: str
    summary: str
    audience: str
    version: int
    planned_at: datetime
    time_zone: str
    data_seq: int
    state: str
    counts: tuple[Count, ...]
    does: Mapping[str, str]
    effects: int
    moves: int
    inside: int
    older: tuple[str, ...]
    previous: str | None
    changes: tuple[Change, ...]
    needs_approval: bool
    obstacles: tuple[str, ...]
    minutes: float
    saved: bool


def plan(session: Session, name: str, *, at: datetime | None = None) -> PlanResult:
    """Work out what the strategy ``name`` would do at ``at`` (naive UTC, default now) and keep it as a plan.

    Raises `ConfigError` and `ConditionError` for the files, `DataError` where a message lacks a value.
    """
    at = at or session.as_of_time()
    with session.query() as query:
        book = book_of(session, query, name)
        for file in book.versions:
            check_senders(session, file, book.names)
        work_out(session, query, book, at)
        made = draft(query, book, at=at)
        stored = plan_rows(query, "campaign = $name and kind = $kind", {"name": name, "kind": KIND})
        (inside,) = query.one("select count(*) from walk_standing where state = 'active'") or (0,)
        previous = next((p for p in stored if p.plan_id != made.plan_id), None)
        open_before = previous is not None and previous.state in ("planned", "approved")
        changes = _changes(query, previous) if previous and open_before else ()
        number = version_number(query, book)
    same = next((p for p in stored if p.plan_id == made.plan_id), None)
    row = _row(book, made, same)
    saved = _save(session, row, made, same) if session.as_of is None else False
    strategy = book.file.strategy
    return PlanResult(
        plan_id=row.plan_id,
        strategy=name,
        summary=strategy.summary,
        audience=" ".join(audience_text(strategy).split()),
        version=number,
        planned_at=at,
        time_zone=session.settings.workspace.time_zone,
        data_seq=made.seq,
        state=row.state,
        counts=made.counts,
        does={s.name: does(f.strategy, s) for f in reversed(book.versions) for s in f.strategy.steps},
        effects=row.effects,
        moves=row.moves,
        inside=inside,
        older=tuple(v[:6] for v in sorted(book.older)),
        previous=previous.short if previous and open_before else None,
        changes=changes,
        needs_approval=needs_approval(book, row),
        obstacles=obstacles(session, book, row, at),
        minutes=row.effects * strategy.minutes_saved,
        saved=saved,
    )


def approve(session: Session, ref: str, *, effects: int | None = None) -> PlanRow:
    """Approve exactly the plan ``ref``, with ``effects`` only if it has so many. Raises `PolicyError`."""
    with session.write("plans", reason=f"approve plan {ref}") as tx:
        row = find_plan(tx.query, ref)
        if row.state not in ("planned", "approved"):
            raise PolicyError(f"plan {row.short} is {row.state}, there is nothing to approve")
        if effects is not None and effects != row.effects:
            raise PolicyError(
                f"plan {row.short} has {row.effects:,} effects, not {effects:,}",
                hint=f"Look at it again: sfactl strategy items {row.short}",
            )
        check_approver(session, tx.query, "strategy", row.effects, plan_id=row.plan_id)
        approved = replace(
            row,
            state="approved",
            approved_by=session.actor,
            approved_at=session.now(),
            approved_effects=row.effects,
        )
        tx.upsert("plans", plan_table([approved]))
        tx.commit(plan=row.plan_id, effects=row.effects)
    return approved


def difference(session: Session, ref: str, other: str | None = None) -> pa.Table:
    """Decisions that differ between plan ``ref`` and ``other``, by default the data as it is now."""
    with session.query() as query:
        row = find_plan(query, ref)
        if other is None:
            work_out(session, query, book_of(session, query, row.campaign), row.planned_at)
            return compare(query, row.plan_id, None)
        return compare(query, find_plan(query, other).plan_id, row.plan_id)


def compare(query: Query, before: str, after: str | None) -> pa.Table:
    """Decisions that differ between the stored plan ``before`` and ``after``; None is what was walked just now."""
    stored = f"{_COMPARED} plan_items where plan_id = $plan"
    query.run(f"create or replace temp table earlier as {stored}", {"plan": before})
    fresh = f"{_COMPARED} ({query.statement('strategies', 'items')})"
    query.run(
        f"create or replace temp table later as {fresh if after is None else stored}",
        {"plan": after} if after else None,
    )
    return query.table(query.statement("strategies", "difference"))


def needs_approval(book: Book, row: PlanRow) -> bool:
    """Whether the plan does more than may go unapproved; an approval is good for the number of effects it was given."""
    if row.effects <= book.file.strategy.approve_above:
        return False
    return row.state == "planned" or (row.approved_effects is not None and row.approved_effects < row.effects)


def obstacles(session: Session, book: Book, row: PlanRow, at: datetime, *, late: bool = False) -> tuple[str, ...]:
    """Why the plan could not be applied, whoever approves it; ``late`` says that it may be, however old it is."""
    strategy = book.file.strategy
    found = []
    said = lateness(row.planned_at, at, strategy.max_age, strategy.misfire)
    if said and not (late and strategy.misfire == "ask"):
        found.append(said)
    if strategy.state == "draft":
        found.append(f'{book.name} is a draft; write state = "active" when it may run')
    if strategy.max_effects is not None and row.effects > strategy.max_effects:
        found.append(f"{row.effects:,} effects are more than max_effects = {strategy.max_effects:,}")
    if halted := halted_by(session, book.name, sends=row.sends > 0):
        found.append(halted)
    end = book.ends_at
    if end is not None and at >= end and row.sends:
        found.append(f"the strategy ended on {end:%Y-%m-%d %H:%M} UTC (expires_at)")
    if row.sends:
        found += _overstepped(session, book)
    return tuple(found)


def _overstepped(session: Session, book: Book) -> list[str]:
    """Which limits of what may come back it oversteps, by the senders it has."""
    strategy = book.file.strategy
    scope, senders = scope_of(book.name), senders_of(strategy)
    said = (overstepped(session, touches(book.file, book.names, s).campaign, scope=scope) for s in senders)
    return [text for text in said if text]


def version_number(query: Query, book: Book) -> int:
    """The how-manieth version of the strategy the file is now, among those that leads ever followed."""
    found = query.rows("select version, number from strategy_versions where strategy = $name", {"name": book.name})
    numbers = dict(found)
    return int(numbers.get(book.file.version, max(numbers.values(), default=0) + 1))


def _row(book: Book, made: Draft, same: PlanRow | None) -> PlanRow:
    row = PlanRow(
        plan_id=made.plan_id,
        campaign=book.name,
        version=content_version(book),
        data_seq=made.seq,
        planned_at=made.at,
        sends=made.total("send"),
        tasks=made.total("task", "approval"),
        waits=made.total("wait"),
        skips=made.total("skip"),
        holds=made.total("hold"),
        state="planned",
        approved_by=None,
        approved_at=None,
        applied_at=None,
        kind=KIND,
        enters=made.total("enter"),
        moves=made.moves,
        pushes=made.total("push"),
        effects=made.total(*EFFECTS),
        approved_effects=None,
    )
    # What was applied, and yet has something to do, was kept back when it was applied: it is a plan once more.
    done = same is not None and same.state == "applied" and row.effects + row.moves == 0
    if same is None or not (done or same.state in ("planned", "approved", "partly")):
        return row
    names = ("state", "approved_by", "approved_at", "applied_at", "approved_effects")
    return replace(row, **{name: getattr(same, name) for name in names})


def _save(session: Session, row: PlanRow, made: Draft, same: PlanRow | None) -> bool:
    if same is not None and row.state in ("applied", "partly"):
        return False
    with session.write("plans", reason=f"plan {row.campaign}") as tx:
        # Somebody else may have made the same plan meanwhile, or even begun it.
        if plan_rows(tx.query, "plan_id = $plan", {"plan": row.plan_id}) != ([] if same is None else [same]):
            return not session.dry_run
        tx.upsert("plans", plan_table([row]))
        if same is None:
            tx.query.register("made", made.items)
            keep = "select *, $plan as plan_id, $at as planned_at from made"
            tx.append("plan_items", keep, {"plan": row.plan_id, "at": made.at})
        tx.commit(plan=row.plan_id, effects=row.effects, moves=row.moves)
    return not session.dry_run


def _changes(query: Query, previous: PlanRow) -> tuple[Change, ...]:
    query.register("moved", compare(query, previous.plan_id, None))
    found = query.rows(query.statement("strategies", "changes"))
    return tuple(Change(step=s, action=a, joined=j, left=x) for s, a, j, x in found)
