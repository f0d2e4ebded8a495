"""Read the cases that a command is about, and put a sheet of changes into a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound
from sfactl.cases.model import Row, case_number
from sfactl.cases.recording import Sheet
from sfactl.config.cases import CaseRules
from sfactl.engine.duck import Query
from sfactl.session import Session

if TYPE_CHECKING:
    from sfactl.workspace import Transaction

DATASETS = ("cases",)
"""What a change of cases locks; its events are appended."""
MOST_EVENTS = 8
"""Events of one case in one command; gaps in their numbers do no harm."""


def sheet_of(session: Session, rules: CaseRules, cases: int) -> Sheet:
    """A sheet for changes of so many cases."""
    first = session.reserve("case_event", MOST_EVENTS * max(cases, 1))
    return Sheet(rules=rules, actor=session.actor, first_event=first)


def store(session: Session, tx: Transaction, sheet: Sheet) -> None:
    """Put the rows of ``sheet`` into ``tx``."""
    import pyarrow as pa

    schemas = session.workspace.schemas
    if sheet.cases:
        tx.upsert("cases", pa.Table.from_pylist(list(sheet.cases.values()), schemas["cases"].arrow()))
    if sheet.events:
        tx.append("case_events", pa.Table.from_pylist(sheet.events, schemas["case_events"].arrow()))


def known_case(query: Query, ref: str) -> Row:
    """The case that ``ref`` names. Raises `NotFound`."""
    number = case_number(ref)
    found = query.get("cases", number)
    if found is None:
        raise NotFound(f"there is no case {number}", hint="See: sfactl case list")
    return dict(found)


def known_cases(query: Query, refs: Sequence[str]) -> list[Row]:
    """The cases that ``refs`` name, each once. Raises `NotFound` naming the first that is not there."""
    numbers = dict.fromkeys(case_number(ref) for ref in refs)
    return [known_case(query, str(number)) for number in numbers]


def check_owner(query: Query, owner: str) -> None:
    """Refuse an owner who is no rep. Raises `NotFound`."""
    if owner and query.get("reps", owner) is None:
        raise NotFound(f"there is no rep {owner!r}", hint="See: sfactl rep list")
