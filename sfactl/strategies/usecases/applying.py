"""Apply a plan of a strategy exactly, go on with one that was interrupted, and do nothing twice.

What needs nobody outside (moves, tasks, pushes) lands in one commit with the beginning of the plan; messages follow,
each claimed in the ledger before it leaves; then those whose message was settled move on. A run that is killed anywhere
is gone on with by `resume`, or by the next plan, which settles from messages and ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sfactl.api.errors import Conflict, PolicyError
from sfactl.api.protocols import TouchpointSender
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.usecases import guarding
from sfactl.campaigns.usecases.applying import Permit, Reason, reasons_of
from sfactl.campaigns.usecases.checking import make_sender
from sfactl.campaigns.usecases.delivery import Delivery
from sfactl.campaigns.usecases.folding import fold
from sfactl.campaigns.usecases.retrying import dead_of_plan
from sfactl.campaigns.usecases.scene import check_newest, moved_since
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.strategies.asking import load_blacklist
from sfactl.strategies.book import Book
from sfactl.strategies.planning import content_version, draft
from sfactl.strategies.usecases import recording
from sfactl.strategies.usecases.plans import compare, needs_approval, obstacles
from sfactl.strategies.usecases.scene import (
    KIND,
    PlanRow,
    book_of,
    check_senders,
    find_plan,
    plan_rows,
    plan_table,
    scope_of,
    work_out,
)
from sfactl.workspace.ledger import Lease

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What an apply did. ``left`` may still be sent by a resume, ``blocked`` may not.

    ``missing`` is how many had got no message of the plan before, where that was asked.
    """

    plan_id: str
    strategy: str
    state: str
    enters: int = 0
    moves: int = 0
    tasks: int = 0
    pushes: int = 0
    accepted: int = 0
    handed: int = 0
    refused: int = 0
    unknown: int = 0
    dead: int = 0
    settled: int = 0
    left: int = 0
    missing: int | None = None
    ready: int = 0
    blocked: tuple[Reason, ...] = ()
    later: tuple[Reason, ...] = ()
    details: tuple[Reason, ...] = ()
    stopped: str = ""
    applied_at: datetime | None = None
    nothing: bool = False
    dry_run: bool = False

    @property
    def partly(self) -> bool:
        """Whether some of it was not done."""
        return bool(self.refused or self.unknown or self.dead or self.left or self.blocked)


def apply(session: Session, ref: str, *, late: bool = False, override: str = "") -> ApplyResult:
    """Do exactly what the plan ``ref`` says; one that was begun is gone on with. For the rest see `Permit`.

    Raises `Conflict` where files or data have moved, `PolicyError` without an approval, for a draft or in a copy of the
    workspace, `LockBusy` while another run is at work on the strategy, `TryLater` if a sender cannot be reached.
    """
    return _open(session, ref, Permit(late=late, override=override), begun_only=False)


def resume(session: Session, ref: str, *, missing: bool = False, late: bool = False, override: str = "") -> ApplyResult:
    """Go on with the plan ``ref`` after it was interrupted. Raises as `apply`, `PolicyError` if it was never begun.

    With ``missing`` also one that was done: whoever was left out then, and has got none of its messages yet, passes
    the gate once more. Who was accepted, refused or is held as unknown is not among them.
    """
    return _open(session, ref, Permit(missing=missing, late=late, override=override), begun_only=True)


def _open(session: Session, ref: str, permit: Permit, *, begun_only: bool) -> ApplyResult:
    with session.query() as query:
        row = find_plan(query, ref)
        if session.dry_run:
            book = book_of(session, query, row.campaign)
    if session.dry_run:
        return _Run(session, row, book, permit).rehearse()
    if permit.override:
        guarding.override(session, row.campaign, permit.override)
    with session.ledger.lease(scope_of(row.campaign), run_id=session.run_id) as lease:
        with session.query() as query:
            row = find_plan(query, row.plan_id)
            book = book_of(session, query, row.campaign)
        if permit.missing:
            lease.revive([r.key for r in dead_of_plan(session, row.plan_id, scope_of(row.campaign))])
        return _Run(session, row, book, permit).perform(lease, begun_only=begun_only)


class _Run:
    """One apply of one plan."""

    def __init__(self, session: Session, row: PlanRow, book: Book, permit: Permit) -> None:
        self.permit = permit
        self.session = session
        self.row = row
        self.book = book
        self.deliveries: list[tuple[Delivery, CampaignFiles]] = []
        if row.sends or session.ledger.rows(scope_of(book.name), "unknown"):
            for file in book.versions:
                for files in check_senders(session, file, book.names).values():
                    delivery = Delivery(
                        session,
                        row.plan_id,
                        files,
                        scope=scope_of(book.name),
                        version=file.version,
                        blacklist=self._load_blacklist,
                    )
                    self.deliveries.append((delivery, files))

    def perform(self, lease: Lease, *, begun_only: bool) -> ApplyResult:
        """Check, begin, send, settle, finish."""
        if begun_only and self.row.state not in ("partly", "applied"):
            raise PolicyError(f"plan {self.row.short} was never begun", hint=f"sfactl strategy apply {self.row.short}")
        if self._is_done():
            return self._result(nothing=True)
        self._check()
        missing = self._remaining() if self.permit.missing else None
        with ExitStack() as opened:
            senders = [self._sender(opened, files) for _, files in self.deliveries]
            done = self._begin() if self.row.state in ("planned", "approved") else {}
            for (delivery, _), sender in zip(self.deliveries, senders, strict=True):
                delivery.settle_unknown(sender)
                delivery.send(sender, lease)
        left = self._remaining() - sum(d.blocked.total() for d, _ in self.deliveries)
        fold(self.session, lease.scope)
        settled = recording.write_settled(self.session, self.book, self.row.plan_id)
        self._finish(left)
        result = self._result(left=left, missing=missing, settled=settled, **done)
        self.session.notify("sfactl_after_touchpoints_sent", _summary(result))
        return result

    def rehearse(self) -> ApplyResult:
        """Check all that an apply checks, and say how many messages it would send."""
        if self._is_done():
            return self._result(nothing=True)
        self._check()
        ready = sum(d.rehearse() for d, _ in self.deliveries)
        row = self.row
        return self._result(ready=ready, enters=row.enters, moves=row.moves, tasks=row.tasks, pushes=row.pushes)

    def _load_blacklist(self, query: Query) -> None:
        load_blacklist(query, self.book.file, self.book.names, self.session.now())

    def _sender(self, opened: ExitStack, files: CampaignFiles) -> TouchpointSender:
        return opened.enter_context(closing(make_sender(self.session, files)))

    def _remaining(self) -> int:
        return sum(d.left() for d, _ in self.deliveries)

    def _is_done(self) -> bool:
        """Applied, no message is to be tried again or looked up, and nobody asks for those who were left out."""
        if self.permit.missing:
            return not self._remaining()
        held = self.session.ledger.rows(scope_of(self.row.campaign))
        again = [r for r in held if r.state == "planned" and r.meta.get("plan_id") == self.row.plan_id]
        return self.row.state == "applied" and not again and not any(r.state == "unknown" for r in held)

    def _check(self) -> None:
        row, strategy = self.row, self.row.campaign
        again = f"Make a new plan: sfactl strategy plan {strategy}"
        if row.state == "superseded":
            raise Conflict(f"plan {row.short} was replaced by a newer one", hint=f"sfactl strategy status {strategy}")
        if self.permit.missing:
            with self.session.query() as query:
                check_newest(query, row, "strategy")
        if row.state in ("planned", "approved") and content_version(self.book) != row.version:
            raise Conflict(
                f"the files of strategy {strategy} changed since plan {row.short}, or what its messages carry of the"
                " workspace: name, address, collect.url",
                hint=again,
            )
        for obstacle in obstacles(self.session, self.book, row, self.session.now(), late=self.permit.late):
            raise PolicyError(f"nothing was done: {obstacle}")
        if needs_approval(self.book, row):
            raise PolicyError(
                f"plan {row.short} has {row.effects:,} effects, more than {self.book.file.strategy.approve_above:,}",
                hint=f"It needs an approval: sfactl strategy approve {row.short}",
            )
        if row.state in ("planned", "approved"):
            self._check_drift()

    def _check_drift(self) -> None:
        """Work the plan out again for its own time, on data and files of now; refuse if any decision differs.

        Segments, rivals and the header of the file decide too, so that data which stand still prove nothing.
        """
        with self.session.query() as query:
            work_out(self.session, query, self.book, self.row.planned_at)
            if draft(query, self.book, at=self.row.planned_at).plan_id == self.row.plan_id:
                return
            found = compare(query, self.row.plan_id, None)
        leads = sorted(set(found.column("lead_id").to_pylist()))
        named = ", ".join(f"lead {n}" for n in leads[:_SHOWN]) + (" …" if len(leads) > _SHOWN else "")
        differ = f"{len(leads):,} leads differ" if len(leads) != 1 else "1 lead differs"
        moved = moved_since(self.session, self.row.data_seq) - {"plans", "plan_items"}
        head = self.session.workspace.head()
        what = f"data moved since this plan (commit {self.row.data_seq} → {head})"
        raise Conflict(
            f"the {what if moved else 'files changed since this plan'}: {differ} ({named})",
            hint=f"Make a new plan: sfactl strategy plan {self.row.campaign}      "
            f"or see them: sfactl strategy diff {self.row.short}",
        )

    def _begin(self) -> dict[str, int]:
        """Mark the plan as begun and its rivals as replaced, and do all that needs nobody outside, in one commit."""
        now = self.session.now()
        with self.session.write(*recording.WRITTEN, reason=f"begin plan {self.row.short}") as tx:
            self.row = replace(self.row, state="partly")
            rivals = plan_rows(
                tx.query,
                "campaign = $name and kind = $kind and plan_id <> $plan and state in ('planned', 'approved', 'partly')",
                {"name": self.row.campaign, "plan": self.row.plan_id, "kind": KIND},
            )
            tx.upsert("plans", plan_table([self.row, *(replace(p, state="superseded") for p in rivals)]))
            recording.load_plan(tx, self.row)
            if self.row.moves:
                recording.write_version(tx, self.book.file, actor=self.session.actor, now=now)
            moves = recording.write_moves(tx, self.book, plan_id=self.row.plan_id, now=now)
            tasks = recording.write_work(tx, self.row, self.book, now=now)
            tx.commit(plan=self.row.plan_id, tasks=tasks, moves=moves)
        return {"enters": self.row.enters, "moves": moves, "tasks": tasks, "pushes": self.row.pushes}

    def _finish(self, left: int) -> None:
        state = "partly" if left else "applied"
        self.row = replace(self.row, state=state, applied_at=self.session.now())
        with self.session.write("plans", reason=f"apply plan {self.row.short}") as tx:
            tx.upsert("plans", plan_table([self.row]))
            tx.commit(plan=self.row.plan_id, state=state, **_sum(d.tally.outcomes for d, _ in self.deliveries))

    def _result(self, **values: Any) -> ApplyResult:
        outcomes = _sum(d.tally.outcomes for d, _ in self.deliveries)
        details = _sum(d.tally.details for d, _ in self.deliveries)
        return ApplyResult(
            plan_id=self.row.plan_id,
            strategy=self.row.campaign,
            state=self.row.state,
            accepted=outcomes["accepted"] - outcomes["handed"],
            handed=outcomes["handed"],
            refused=outcomes["refused"],
            unknown=outcomes["unknown"],
            dead=outcomes["dead"],
            blocked=reasons_of(_sum(d.blocked for d, _ in self.deliveries).items()),
            later=reasons_of(_sum(d.later for d, _ in self.deliveries).items()),
            details=reasons_of(details.most_common(_SHOWN)),
            stopped=next((d.stopped for d, _ in self.deliveries if d.stopped), ""),
            applied_at=self.row.applied_at,
            dry_run=self.session.dry_run,
            **values,
        )


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return total


def _summary(result: ApplyResult) -> dict[str, Any]:
    names = ("plan_id", "state", "accepted", "refused", "unknown", "left", "tasks")
    return {name: getattr(result, name) for name in names} | {"campaign": result.strategy}
