"""What every strategy use case begins with: the files, the book, stored plans, and what the ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.planning import effects_table
from sfactl.campaigns.usecases.checking import check_sender
from sfactl.campaigns.usecases.scene import PlanRow as StoredPlan
from sfactl.campaigns.usecases.scene import effects_of, halted_by, paused_by, place_of, plan_table
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.strategies.book import Book, open_book
from sfactl.strategies.files import Names, StrategyFile, read_names, senders_of, touches
from sfactl.strategies.walk import walk

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["halted_by", "paused_by", "plan_table"]

KIND = "strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow(StoredPlan):
    """One plan of a strategy as it is stored."""

    kind: str | None
    enters: int
    moves: int
    pushes: int
    effects: int
    approved_effects: int | None


PLAN_COLUMNS = tuple(PlanRow.__dataclass_fields__)


def scope_of(strategy: str) -> str:
    """The scope of a strategy's effects in the ledger."""
    return f"strategy/{strategy}"


def names_of(session: Session) -> Names:
    """What conditions may ask for."""
    return read_names(session.folder, session.workspace.schemas)


def book_of(session: Session, query: Query, name: str) -> Book:
    """The strategy ``name`` with all that a walk of it needs."""
    return open_book(query, name, place_of(session), names_of(session))


def ledger_effects(session: Session) -> pa.Table:
    """Messages that the ledger holds; none where the past is looked at."""
    return effects_of(session.ledger.rows()) if session.as_of is None else effects_table(())


def work_out(session: Session, query: Query, book: Book, at: datetime) -> None:
    """Walk for ``at`` on the query's snapshot, with what the ledger holds; nothing is stored."""
    walk(query, book, at=at, effects=ledger_effects(session))


def check_senders(session: Session, file: StrategyFile, names: Names) -> dict[str, CampaignFiles]:
    """The touches of a version by sender; raises `ConfigError` where a sender is not there or cannot send them."""
    found = {}
    for sender in senders_of(file.strategy):
        files = touches(file, names, sender)
        check_sender(session, files)
        found[sender] = files
    return found


def find_plan(query: Query, ref: str) -> PlanRow:
    """The one plan whose id begins with ``ref``. Raises `NotFound` or `UserError`."""
    found = plan_rows(query, "starts_with(plan_id, $ref)", {"ref": ref.lower()}) if len(ref) >= 4 else []
    if not found:
        raise NotFound(f"there is no plan {ref!r}", hint="See: sfactl strategy status NAME")
    if len(found) > 1:
        raise UserError(f"plan {ref!r} could be {', '.join(p.plan_id[:12] for p in found)}", hint="Write more of it.")
    if found[0].kind != KIND:
        raise UserError(f"plan {ref} is one of campaign {found[0].campaign}", hint=f"See: sfactl campaign show {ref}")
    return found[0]


def plan_rows(query: Query, where: str, params: Mapping[str, Any]) -> list[PlanRow]:
    """Stored plans, newest first."""
    sql = f"select {', '.join(PLAN_COLUMNS)} from plans where {where} order by planned_at desc, plan_id"
    return [PlanRow(**dict(zip(PLAN_COLUMNS, row, strict=True))) for row in query.rows(sql, params)]
