"""Open a case for every posting of a form that ``cases.toml`` names: each once, whatever is run again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sfactl.api.errors import ConfigError
from sfactl.cases.model import Opening, Row
from sfactl.cases.usecases.writing import DATASETS, sheet_of, store
from sfactl.config.cases import FILE, read_cases
from sfactl.session import Session

PACKAGE = "cases"
SOURCE = "form"
SINCE = timedelta(days=30)
"""Postings from before that are history: who names a form today does not open cases for all that was ever posted."""
LONGEST_SUBJECT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesPosted:
    """The cases that postings opened."""

    opened: int
    cases: tuple[int, ...] = ()
    dry_run: bool = False
    commit: int | None = None


def open_posted(session: Session) -> CasesPosted:
    """Open a case for each posting of the last 30 days that has none. Raises `ConfigError` where no form is named."""
    import pyarrow as pa

    rules = read_cases(session.folder)
    if not rules.forms:
        raise ConfigError(f"{session.folder / FILE}: forms: no form opens a case", hint='Write [[forms]] form = "…".')
    columns = ("form", "category", "priority", "subject")
    table = {name: pa.array([getattr(f, name) for f in rules.forms], pa.string()) for name in columns}
    now = session.now()
    with session.write(*DATASETS, reason="postings of forms") as tx:
        tx.query.register("case_form", pa.table(table))
        params = {"source": SOURCE, "since": now - SINCE, "now": now}
        rows = tx.query.table(tx.query.statement(PACKAGE, "posted"), params).to_pylist()
        if not rows:
            return CasesPosted(opened=0, dry_run=session.dry_run)
        sheet = sheet_of(session, rules, len(rows))
        first = session.reserve("case", len(rows))
        for number, row in enumerate(rows, first):
            sheet.open(number, _opening(row))
        store(session, tx, sheet)
        commit = tx.commit(cases=len(rows)).seq
    return CasesPosted(opened=len(rows), cases=tuple(sheet.cases), dry_run=session.dry_run, commit=commit)


def _opening(row: Row) -> Opening:
    """The case of a posting; its subject is the form's, else the first line of what was written."""
    text = str(row["text"] or "").strip()
    first = " ".join((text.splitlines() or [""])[0].split())
    cut = first if len(first) <= LONGEST_SUBJECT else f"{first[: LONGEST_SUBJECT - 1].rstrip()}…"
    return Opening(
        lead_id=row["lead_id"],
        contact_id=row["contact_id"],
        account_id=row["account_id"],
        owner=row["owner"] or "",
        channel="web",
        subject=row["subject"] or cut or row["form"],
        opened_at=row["at"],
        text=text,
        category=row["category"],
        priority=row["priority"],
        address=row["address"] or "",
        source=SOURCE,
        source_key=row["event_id"],
        event_id=f"posted:{row['event_id']}",
    )
