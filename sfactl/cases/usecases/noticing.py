"""Tell customers what happened to their cases: one message for each change, through the gate and the ledger.

A run works out what is to be told, keeps that as a plan, and sends it; a killed run leaves nothing that the next one
would send twice, because a notice's key is its change.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import partial

from sfactl.api.errors import PolicyError, UserError
from sfactl.campaigns.files import CampaignFiles, check_links
from sfactl.campaigns.usecases.applying import Reason, reasons_of
from sfactl.campaigns.usecases.checking import check_sender, make_sender
from sfactl.campaigns.usecases.delivery import Delivery
from sfactl.campaigns.usecases.folding import fold
from sfactl.campaigns.usecases.scene import PlanRow, halted_by, scope_of
from sfactl.cases.notices import notice_files
from sfactl.cases.usecases.drafting import ITEMS, Draft, Notice, particulars, shown_notice, work_out, written
from sfactl.config.cases import NOTICES, read_cases
from sfactl.session import Session
from sfactl.workspace import Transaction
from sfactl.workspace.ledger import Lease

KIND = "cases"
"""What plans of notices are called among the plans."""
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AckResult:
    """What was told, and what not. ``left`` notices are to be sent by the next run; ``blocked`` may not be any more."""

    plan_id: str
    notices: tuple[Notice, ...]
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    dead: int = 0
    left: int = 0
    blocked: tuple[Reason, ...] = ()
    later: tuple[Reason, ...] = ()
    details: tuple[Reason, ...] = ()
    stopped: str = ""
    dry_run: bool = False

    @property
    def partly(self) -> bool:
        """Whether a notice that was to be sent was not."""
        return bool(self.refused or self.unknown or self.dead or self.left or self.blocked)

    @property
    def to_send(self) -> int:
        """How many notices were, or in a dry run would be, sent."""
        return sum(n.action == "send" for n in self.notices)


def acknowledge(session: Session) -> AckResult:
    """Tell customers of every change that ``cases.toml`` has a notice for and that they were not told of yet.

    A dry run writes the messages and sends none. Raises `ConfigError` for the files, `PolicyError` while sending is
    stopped or in a copy of the workspace, `LockBusy` while another run is at it, `TryLater` if the sender cannot be
    reached.
    """
    if session.as_of is not None and not session.dry_run:
        raise UserError("--as-of tells what would be said then; it sends nothing", hint="Add --dry-run.")
    rules = read_cases(session.folder)
    files = notice_files(session.folder, rules, session.workspace.schemas)
    check_sender(session, files)
    check_links(files, session.settings.collect.url)
    if session.dry_run:
        with session.query() as query:
            made = work_out(session, query, rules, files)
            told = written(session, query, files, made) if made else ()
            return AckResult(plan_id=made.plan_id if made else "", notices=told, dry_run=True)
    if why := halted_by(session, NOTICES):
        raise PolicyError(f"nothing was sent: {why}")
    with session.ledger.lease(scope_of(NOTICES), run_id=session.run_id) as lease:
        if session.ledger.rows(lease.scope, "unknown"):
            with closing(make_sender(session, files)) as sender:
                _delivery(session, "", files).settle_unknown(sender)
        fold(session, lease.scope)
        with session.query() as query:
            made = work_out(session, query, rules, files)
        return _tell(session, files, lease, made) if made else AckResult(plan_id="", notices=())


def _tell(session: Session, files: CampaignFiles, lease: Lease, made: Draft) -> AckResult:
    """Keep the plan and send what it says. The sender is tried before anything is begun, and only if it is needed."""
    notices = tuple(shown_notice(row) for row in made.items.to_pylist())
    delivery, left = _delivery(session, made.plan_id, files), 0
    if any(n.action == "send" for n in notices):
        with closing(make_sender(session, files)) as sender:
            row = _begin(session, made)
            delivery.send(sender, lease)
        fold(session, lease.scope)
        left = delivery.left() - delivery.blocked.total()
        _finish(session, row, left)
    else:
        _begin(session, made)
    return _result(made.plan_id, notices, delivery, left)


def _delivery(session: Session, plan_id: str, files: CampaignFiles) -> Delivery:
    return Delivery(session, plan_id, files, particulars=partial(particulars, session))


def _begin(session: Session, made: Draft) -> PlanRow:
    """Keep the plan; the same decisions as before are the same plan."""
    import pyarrow as pa

    counts = Counter(made.items.column("action").to_pylist())
    row = PlanRow(
        plan_id=made.plan_id,
        campaign=NOTICES,
        version=made.version,
        data_seq=made.seq,
        planned_at=made.at,
        sends=counts["send"],
        tasks=0,
        waits=counts["wait"],
        skips=counts["skip"],
        holds=counts["hold"],
        state="partly" if counts["send"] else "applied",
        approved_by=None,
        approved_at=None,
        applied_at=None,
    )
    with session.write("plans", reason="notices of cases") as tx:
        known = tx.query.get("plans", made.plan_id)
        if known is None or row.sends:
            _keep(session, tx, row)
        if known is None:
            own = {"plan_id": made.plan_id, "planned_at": made.at}
            rows = [
                {**own, **{name: r[name] for name in ITEMS}, "rotation": r["event_no"]} for r in made.items.to_pylist()
            ]
            tx.append("plan_items", pa.Table.from_pylist(rows, session.workspace.schemas["plan_items"].arrow()))
        if known is None or row.sends:
            tx.commit(plan=made.plan_id, notices=row.sends)
    return row


def _finish(session: Session, row: PlanRow, left: int) -> None:
    done = replace(row, state="partly" if left else "applied", applied_at=session.now())
    with session.write("plans", reason="notices of cases") as tx:
        _keep(session, tx, done)
        tx.commit(plan=row.plan_id, state=done.state)


def _keep(session: Session, tx: Transaction, row: PlanRow) -> None:
    import pyarrow as pa

    schema = session.workspace.schemas["plans"].arrow()
    tx.upsert("plans", pa.Table.from_pylist([{**asdict(row), "kind": KIND}], schema))


def _result(plan_id: str, notices: tuple[Notice, ...], delivery: Delivery, left: int) -> AckResult:
    outcomes = delivery.tally.outcomes
    return AckResult(
        plan_id=plan_id,
        notices=notices,
        accepted=outcomes["accepted"],
        refused=outcomes["refused"],
        unknown=outcomes["unknown"],
        dead=outcomes["dead"],
        left=left,
        blocked=reasons_of(delivery.blocked.items()),
        later=reasons_of(delivery.later.items()),
        details=reasons_of(delivery.tally.details.most_common(_SHOWN)),
        stopped=delivery.stopped,
    )
