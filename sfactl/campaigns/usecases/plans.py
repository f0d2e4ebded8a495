"""Make, compare and approve plans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.approvals.actors import check_approver
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.model import Campaign, Change, Count, lateness
from sfactl.campaigns.planning import Draft, content_version, draft
from sfactl.campaigns.usecases.checking import check_sender, steps_by_hand
from sfactl.campaigns.usecases.guarding import overstepped
from sfactl.campaigns.usecases.scene import (
    PlanRow,
    effects_of,
    expires_at,
    find_plan,
    halted_by,
    load_audience,
    place_of,
    plan_rows,
    plan_table,
    read_files,
)
from sfactl.engine.duck import Query
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanResult:
    """A plan and what there is to know before it is applied."""

    plan_id: str
    campaign: str
    version: int
    planned_at: datetime
    time_zone: str
    data_seq: int
    state: str
    counts: tuple[Count, ...]
    sends: int
    tasks: int
    previous: str | None
    changes: tuple[Change, ...]
    needs_approval: bool
    obstacles: tuple[str, ...]
    saved: bool
    sender: str
    reps: int = 0
    by_hand: Mapping[str, str] = field(default_factory=dict)


def plan(session: Session, name: str, *, at: datetime | None = None) -> PlanResult:
    """Work out what the campaign ``name`` would do at ``at`` (naive UTC, default now) and keep it as a plan.

    Raises `ConfigError` for the files, `DataError` where a message could not be written for a recipient.
    """
    files = read_files(session, name)
    check_sender(session, files)
    at = at or session.as_of_time()
    with session.query() as query:
        made = work_out(session, query, files, at)
        stored = plan_rows(query, "campaign = $campaign", {"campaign": name})
        reps = query.one("select count(distinct owner) from plan_rows where action = 'task'") or (0,)
    same = next((p for p in stored if p.plan_id == made.plan_id), None)
    row = _row(content_version(files, place_of(session)), files, made, same)
    saved = _save(session, row, made, known=same is not None) if session.as_of is None else False
    previous = next((p for p in stored if p.plan_id != made.plan_id), None)
    changes = _changes(session, previous, made) if previous else ()
    return PlanResult(
        plan_id=row.plan_id,
        campaign=name,
        version=_version_number(stored, row),
        planned_at=at,
        time_zone=session.settings.workspace.time_zone,
        data_seq=made.seq,
        state=row.state,
        counts=made.counts,
        sends=row.sends,
        tasks=row.tasks,
        previous=previous.short if previous else None,
        changes=changes,
        needs_approval=needs_approval(files.campaign, row),
        obstacles=obstacles(session, files.campaign, row, at),
        saved=saved,
        sender=files.campaign.sender,
        reps=reps[0],
        by_hand=steps_by_hand(session, files),
    )


def work_out(session: Session, query: Query, files: CampaignFiles, at: datetime) -> Draft:
    """The plan for ``at`` on the query's snapshot; nothing is stored."""
    load_audience(session, query, files, at)
    effects = effects_of(session.ledger.rows()) if session.as_of is None else effects_of(())
    return draft(query, files, place_of(session), at=at, effects=effects)


def approve(session: Session, ref: str) -> PlanRow:
    """Approve exactly the plan ``ref``. Raises `PolicyError` if it can no longer be applied, or not by this actor."""
    with session.write("plans", reason=f"approve plan {ref}") as tx:
        row = find_plan(tx.query, ref)
        if row.state not in ("planned", "approved"):
            raise PolicyError(f"plan {row.short} is {row.state}, there is nothing to approve")
        check_approver(session, tx.query, "campaign", row.sends, plan_id=row.plan_id)
        approved = replace(row, state="approved", approved_by=session.actor, approved_at=session.now())
        tx.upsert("plans", plan_table([approved]))
        tx.commit(plan=row.plan_id)
    return approved


def difference(session: Session, ref: str, other: str | None = None) -> pa.Table:
    """Recipients that differ between plan ``ref`` and ``other``, by default the data as it is now."""
    with session.query() as query:
        row = find_plan(query, ref)
        if other is None:
            files = read_files(session, row.campaign)
            work_out(session, query, files, row.planned_at)
            return compare(query, row.plan_id, None)
        return compare(query, find_plan(query, other).plan_id, row.plan_id)


def compare(query: Query, before: str, after: str | None) -> pa.Table:
    """Recipients that differ between the stored plan ``before`` and ``after``; None is what plan_rows holds."""
    items = "select lead_id, step, action, reason, recipient, owner, inputs from"
    query.run(f"create or replace temp table earlier as {items} plan_items where plan_id = $plan", {"plan": before})
    source = f"{items} plan_rows" if after is None else f"{items} plan_items where plan_id = $plan"
    query.run(f"create or replace temp table later as {source}", {"plan": after} if after else None)
    return query.table(query.statement("campaigns", "difference"))


def needs_approval(campaign: Campaign, row: PlanRow) -> bool:
    """Whether the plan sends more than may go unapproved."""
    return row.sends > campaign.approve_above and row.state == "planned"


def obstacles(
    session: Session, campaign: Campaign, row: PlanRow, at: datetime, *, late: bool = False
) -> tuple[str, ...]:
    """Why the plan could not be applied, whoever approves it; ``late`` says that it may be, however old it is."""
    found = []
    said = lateness(row.planned_at, at, campaign.max_age, campaign.misfire)
    if said and not (late and campaign.misfire == "ask"):
        found.append(said)
    if campaign.max_recipients is not None and row.sends > campaign.max_recipients:
        found.append(f"{row.sends:,} messages are more than max_recipients = {campaign.max_recipients:,}")
    end = expires_at(session, campaign)
    if end is not None and at >= end:
        found.append(f"the campaign ended on {end:%Y-%m-%d %H:%M} UTC (expires_at)")
    if halted := halted_by(session, campaign.name, sends=row.sends > 0):
        found.append(halted)
    if row.sends and (said := overstepped(session, campaign)):
        found.append(said)
    return tuple(found)


def _row(version: str, files: CampaignFiles, made: Draft, same: PlanRow | None) -> PlanRow:
    row = PlanRow(
        plan_id=made.plan_id,
        campaign=files.campaign.name,
        version=version,
        data_seq=made.seq,
        planned_at=made.at,
        sends=made.total("send"),
        tasks=made.total("task"),
        waits=made.total("wait"),
        skips=made.total("skip"),
        holds=made.total("hold"),
        state="planned",
        approved_by=None,
        approved_at=None,
        applied_at=None,
    )
    # What was applied, and yet has something to do, was kept back when it was applied: it is a plan once more.
    done = same is not None and same.state == "applied" and row.sends + row.tasks == 0
    if same is None or not (done or same.state in ("planned", "approved", "partly")):
        return row
    kept = {name: getattr(same, name) for name in ("state", "approved_by", "approved_at", "applied_at")}
    return replace(row, **kept)


def _save(session: Session, row: PlanRow, made: Draft, *, known: bool) -> bool:
    if known and row.state in ("applied", "partly"):
        return False
    with session.write("plans", reason=f"plan {row.campaign}") as tx:
        # Somebody else may have made the same plan meanwhile, and even begun it.
        stored = plan_rows(tx.query, "plan_id = $plan", {"plan": row.plan_id})
        if stored and not known:
            return not session.dry_run
        tx.upsert("plans", plan_table([row]))
        if not known:
            tx.query.register("made", made.items)
            tx.append(
                "plan_items",
                "select *, $plan as plan_id, $at as planned_at from made",
                {"plan": row.plan_id, "at": made.at},
            )
        tx.commit(plan=row.plan_id, sends=row.sends, tasks=row.tasks)
    return not session.dry_run


def _changes(session: Session, previous: PlanRow, made: Draft) -> tuple[Change, ...]:
    with session.query() as query:
        query.register("plan_rows", made.items)
        query.register("moved", compare(query, previous.plan_id, None))
        found = query.rows(query.statement("campaigns", "changes"))
    return tuple(Change(step=s, action=a, joined=int(j), left=int(x), why=w or "") for s, a, j, x, w in found if j or x)


def _version_number(stored: list[PlanRow], row: PlanRow) -> int:
    """The how-manieth wording of the campaign's files this is, among those that were ever planned."""
    versions: list[str] = []
    for p in sorted([*stored, row], key=lambda p: p.planned_at):
        if p.version not in versions:
            versions.append(p.version)
    return versions.index(row.version) + 1
