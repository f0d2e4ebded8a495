"""A small workspace with campaigns, a clock that stands still, and an outbox that can be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.campaigns import usecases
from sfactl.campaigns.usecases.plans import PlanResult
from sfactl.config.layers import load_settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

FRIDAY = datetime(2026, 11, 20, 2, 0)
"""10:00 on a Friday in Taipei."""

CAMPAIGN = """
schema = 1
summary = "Spring"
where = "status = 'new'"
sender = "outbox"
from = "Acme <news@acme.example>"
unsubscribe = "mailto:u@acme.example?subject={key}"

[[steps]]
name = "invite"
template = "invite"
"""

TEMPLATE = """
schema = 1
subject = "Hi {{ lead.first_name }}"
text = "Dear {{ lead.first_name }}"
"""


class Acme:
    """The workspace of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(FRIDAY)
        for name in ("campaigns", "templates", "senders", "segments"):
            (folder / name).mkdir(parents=True)
        self.write("sfactl.toml", 'schema = 1\n[workspace]\nname = "Acme"\ntime_zone = "Asia/Taipei"\n')
        self.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\n')
        self.write("campaigns/spring.toml", CAMPAIGN)
        self.write("templates/invite.toml", TEMPLATE)
        Workspace.create(folder).close()

    def write(self, path: str, text: str) -> None:
        """Write one of the user's files."""
        (self.folder / path).write_text(text, encoding="utf-8")

    @contextmanager
    def session(self, *, dry_run: bool = False, as_of: str | None = None, actor: str = "mei") -> Iterator[Session]:
        """Open the workspace for one command."""
        settings = load_settings(self.folder, env=None, environ={}, no_plugins=())
        session = open_session(
            self.folder,
            settings=settings,
            command="test",
            actor=actor,
            dry_run=dry_run,
            as_of=as_of,
            clock=self.clock,
            quiet=True,
        )
        with session:
            yield session

    def leads(self, *rows: dict[str, Any]) -> None:
        """Add or replace leads; a row needs a lead_id, the rest has defaults."""
        with self.session() as session, session.write("leads") as tx:
            schema = session.workspace.schemas["leads"].arrow()
            full = []
            for row in rows:
                n = row["lead_id"]
                full.append(
                    {"status": "new", "email": f"u{n}@example.com", "first_name": f"N{n}", "country": "TW"} | row
                )
            tx.upsert("leads", pa.Table.from_pylist(full, schema))
            tx.commit()

    def rows(self, dataset: str, rows: list[dict[str, Any]]) -> None:
        """Add rows to any dataset."""
        with self.session() as session, session.write(dataset) as tx:
            schema = session.workspace.schemas[dataset]
            table = pa.Table.from_pylist(rows, schema.arrow())
            (tx.upsert if schema.kind == "state" else tx.append)(dataset, table)
            tx.commit()

    def plan(self, name: str = "spring", **options: Any) -> PlanResult:
        """Plan a campaign."""
        with self.session() as session:
            return usecases.plan(session, name, **options)

    def apply(self, plan_id: str) -> Any:
        """Apply a plan."""
        with self.session() as session:
            return usecases.apply(session, plan_id)

    def run(self, name: str = "spring") -> Any:
        """Plan and apply."""
        return self.apply(self.plan(name).plan_id)

    def verdicts(self, result: PlanResult) -> dict[tuple[int, str], str]:
        """Action and reason by lead and step."""
        with self.session() as session:
            table = usecases.items(session, result.plan_id)
        rows = zip(*(table.column(c).to_pylist() for c in ("lead_id", "step", "action", "reason")), strict=True)
        return {(lead, step): f"{action}: {reason}" if reason else action for lead, step, action, reason in rows}

    def outbox(self) -> dict[str, EmailMessage]:
        """Mails that were sent, by address."""
        parse = BytesParser(policy=policy.default).parsebytes
        mails = [parse(p.read_bytes()) for p in (self.folder / "outbox" / "new").glob("*")]
        return {str(m["To"]): m for m in mails}  # type: ignore[misc]


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """A workspace on a Friday morning in Taipei."""
    return Acme(tmp_path / "acme")
