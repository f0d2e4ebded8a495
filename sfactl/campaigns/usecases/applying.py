"""Apply a plan exactly, go on with one that was interrupted, and never write to anyone twice.

Before the first message the plan must be approved where it has to be, and its recipients must still be what the data
say. From then on they are frozen, and each passes the gate of planning again at the moment of sending.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sfactl.api.errors import Conflict, PolicyError
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.planning import content_version
from sfactl.campaigns.usecases import guarding
from sfactl.campaigns.usecases.checking import make_sender
from sfactl.campaigns.usecases.delivery import Delivery
from sfactl.campaigns.usecases.folding import fold, make_tasks
from sfactl.campaigns.usecases.plans import compare, needs_approval, obstacles, work_out
from sfactl.campaigns.usecases.retrying import dead_of_plan
from sfactl.campaigns.usecases.scene import (
    PlanRow,
    check_newest,
    find_plan,
    moved_since,
    place_of,
    plan_rows,
    plan_table,
    read_files,
    scope_of,
)
from sfactl.session import Session
from sfactl.workspace.ledger import Lease

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why some messages were not accepted."""

    reason: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What an apply did. ``left`` may still be sent by a resume, ``blocked`` may not.

    ``missing`` is how many had got no message of the plan before, where that was asked.
    """

    plan_id: str
    campaign: str
    state: str
    sender: str
    accepted: int = 0
    handed: int = 0
    refused: int = 0
    unknown: int = 0
    dead: int = 0
    left: int = 0
    missing: int | None = None
    blocked: tuple[Reason, ...] = ()
    later: tuple[Reason, ...] = ()
    details: tuple[Reason, ...] = ()
    tasks: int = 0
    ready: int = 0
    stopped: str = ""
    applied_at: datetime | None = None
    nothing: bool = False
    dry_run: bool = False
    seconds: float = 0.0

    @property
    def partly(self) -> bool:
        """Whether some of it was not done."""
        return bool(self.refused or self.unknown or self.dead or self.left or self.blocked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What a person allows a run. ``missing``: also those whom a finished plan left out, and its dead letters.

    ``late``: a plan older than its ``max_age``. ``override`` is the reason to go on though too much came back.
    """

    missing: bool = False
    late: bool = False
    override: str = ""


def apply(session: Session, ref: str, *, late: bool = False, override: str = "") -> ApplyResult:
    """Do exactly what the plan ``ref`` says; one that was begun is gone on with. For the rest see `Permit`.

    Raises `Conflict` where files or recipients have moved, `PolicyError` without an approval or in a copy of the
    workspace, `LockBusy` while another run is at work on the campaign, `TryLater` if the sender cannot be reached.
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
    if session.workspace.is_copy:
        raise PolicyError(
            "this workspace looks like a copy or a backup: what it was made of may send or have sent the same",
            hint="If this is now the only one, say so with: sfactl data adopt",
        )
    files = read_files(session, row.campaign)
    if session.dry_run:
        return _Run(session, row, files, permit).rehearse()
    if permit.override:
        guarding.override(session, row.campaign, permit.override)
    with session.ledger.lease(scope_of(row.campaign), run_id=session.run_id) as lease:
        with session.query() as query:
            row = find_plan(query, row.plan_id)
        if permit.missing:
            lease.revive([r.key for r in dead_of_plan(session, row.plan_id, scope_of(row.campaign))])
        return _Run(session, row, files, permit).perform(lease, begun_only=begun_only)


class _Run:
    """One apply of one plan."""

    def __init__(self, session: Session, row: PlanRow, files: CampaignFiles, permit: Permit | None = None) -> None:
        self.permit = permit or Permit()
        self.session = session
        self.row = row
        self.files = files
        self.delivery = Delivery(session, row.plan_id, files)

    def perform(self, lease: Lease, *, begun_only: bool) -> ApplyResult:
        """Check, begin, send, finish."""
        begin = self.session.now()
        if begun_only and self.row.state not in ("partly", "applied"):
            raise PolicyError(f"plan {self.row.short} was never begun", hint=f"sfactl campaign apply {self.row.short}")
        if self._is_done(asks=begun_only):
            self._tell_of_others()
            return self._result(nothing=True)
        self._check()
        missing = self.delivery.left() if self.permit.missing else None
        tasks = 0
        if self.row.sends:
            with closing(make_sender(self.session, self.files)) as sender:
                tasks = self._begin()
                self.delivery.settle_unknown(sender)
                self.delivery.send(sender, lease)
        else:
            tasks = self._begin()
        left = self.delivery.left() - self.delivery.blocked.total()
        self._finish(left)
        self._tell_of_others()
        result = self._result(
            tasks=tasks, left=left, missing=missing, seconds=(self.session.now() - begin).total_seconds()
        )
        self.session.notify("sfactl_after_touchpoints_sent", _summary(result))
        return result

    def rehearse(self) -> ApplyResult:
        """Check all that an apply checks, and say how many it would send."""
        if self._is_done():
            return self._result(nothing=True)
        self._check()
        ready = self.delivery.rehearse()
        return self._result(ready=ready, tasks=self.row.tasks)

    def _is_done(self, *, asks: bool = False) -> bool:
        """Applied, no message is to be tried again, and nobody asks for those who were left out.

        A run that ``asks`` goes on for unknown messages too: the receiver may tell now, or take a message once.
        """
        if self.permit.missing and self.delivery.left():
            return False
        open_states = ("planned", "unknown") if asks else ("planned",)
        held = self.session.ledger.rows(scope_of(self.row.campaign))
        mine = [r for r in held if r.state in open_states and r.meta.get("plan_id") == self.row.plan_id]
        return self.row.state == "applied" and not mine

    def _check(self) -> None:
        row = self.row
        if row.state == "superseded":
            raise Conflict(
                f"plan {row.short} was replaced by a newer one", hint=f"sfactl campaign status {row.campaign}"
            )
        if self.permit.missing:
            with self.session.query() as query:
                check_newest(query, row, "campaign")
        if content_version(self.files, place_of(self.session)) != row.version:
            raise Conflict(
                f"the files of campaign {row.campaign} changed since plan {row.short}, or what messages carry of the"
                " workspace: name, address, collect.url",
                hint=f"Make a new plan: sfactl campaign plan {row.campaign}",
            )
        for obstacle in obstacles(self.session, self.files.campaign, row, self.session.now(), late=self.permit.late):
            raise PolicyError(f"nothing was sent: {obstacle}")
        if needs_approval(self.files.campaign, row):
            raise PolicyError(
                f"plan {row.short} sends {row.sends:,} messages, more than {self.files.campaign.approve_above:,}",
                hint=f"It needs an approval: sfactl campaign approve {row.short}",
            )
        if row.state in ("planned", "approved"):
            self._check_drift()

    def _check_drift(self) -> None:
        """Work the plan out again for its own time, on the data of now; refuse if anyone's message differs."""
        head = self.session.workspace.head()
        others = any(r.kind == "message" for r in self.session.ledger.rows())
        if not others and not moved_since(self.session, self.row.data_seq) - {"plans", "plan_items"}:
            return
        with self.session.query() as query:
            made = work_out(self.session, query, self.files, self.row.planned_at)
            if made.plan_id == self.row.plan_id:
                return
            moved = compare(query, self.row.plan_id, None)
        leads = sorted(set(moved.column("lead_id").to_pylist()))
        if not leads:
            return
        named = ", ".join(f"lead {n}" for n in leads[:_SHOWN]) + (" …" if len(leads) > _SHOWN else "")
        differ = f"{len(leads):,} recipients differ" if len(leads) > 1 else "1 recipient differs"
        raise Conflict(
            f"the data moved since this plan (commit {self.row.data_seq} → {head}): {differ} ({named})",
            hint=f"Make a new plan: sfactl campaign plan {self.row.campaign}      "
            f"or see them: sfactl campaign diff {self.row.short}",
        )

    def _begin(self) -> int:
        """Mark the plan as begun, and its rivals as replaced, before anything leaves. Makes the tasks."""
        with self.session.write("plans", "tasks", reason=f"begin plan {self.row.short}") as tx:
            self.row = replace(self.row, state="partly")
            rivals = plan_rows(
                tx.query,
                "campaign = $campaign and plan_id <> $plan and state in ('planned', 'approved', 'partly')",
                {"campaign": self.row.campaign, "plan": self.row.plan_id},
            )
            tx.upsert("plans", plan_table([self.row, *(replace(p, state="superseded") for p in rivals)]))
            tasks = make_tasks(tx, self.row, self.files, now=self.session.now())
            tx.commit(plan=self.row.plan_id, tasks=tasks)
        return tasks

    def _finish(self, left: int) -> None:
        fold(self.session, scope_of(self.row.campaign))
        state = "partly" if left else "applied"
        self.row = replace(self.row, state=state, applied_at=self.session.now())
        with self.session.write("plans", reason=f"apply plan {self.row.short}") as tx:
            tx.upsert("plans", plan_table([self.row]))
            tx.commit(plan=self.row.plan_id, state=state, **self.delivery.tally.outcomes)

    def _tell_of_others(self) -> None:
        if others := self.delivery.others():
            messages = f"{others:,} message{'s' if others != 1 else ''} of an earlier plan"
            self.session.note(f"{messages} may be sent again. Next: sfactl campaign plan {self.row.campaign}")

    def _result(self, **values: Any) -> ApplyResult:
        outcomes = self.delivery.tally.outcomes
        return ApplyResult(
            plan_id=self.row.plan_id,
            campaign=self.row.campaign,
            state=self.row.state,
            sender=self.files.campaign.sender,
            accepted=outcomes["accepted"] - outcomes["handed"],
            handed=outcomes["handed"],
            refused=outcomes["refused"],
            unknown=outcomes["unknown"],
            dead=outcomes["dead"],
            blocked=reasons_of(self.delivery.blocked.items()),
            later=reasons_of(self.delivery.later.items()),
            details=reasons_of(self.delivery.tally.details.most_common(_SHOWN)),
            stopped=self.delivery.stopped,
            applied_at=self.row.applied_at,
            dry_run=self.session.dry_run,
            **values,
        )


def reasons_of(counted: Iterable[tuple[str, int]]) -> tuple[Reason, ...]:
    """Reasons with their messages, the most frequent first."""
    return tuple(Reason(reason=r, messages=n) for r, n in sorted(counted, key=lambda c: (-c[1], c[0])))


def _summary(result: ApplyResult) -> dict[str, Any]:
    names = ("plan_id", "campaign", "state", "sender", "accepted", "refused", "unknown", "left", "tasks")
    return {name: getattr(result, name) for name in names}
