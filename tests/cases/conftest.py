"""A workspace with the preset's rules of cases, a clock that stands still, and an outbox that can be looked into."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from sfactl.cases import usecases
from sfactl.cases.usecases.mailing import CaseMailResult
from sfactl.cases.usecases.noticing import AckResult
from sfactl.config.layers import load_settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

PRESET = Path(__file__).resolve().parents[2] / "configs/b2b"
MONDAY = datetime(2026, 5, 4, 9)
LEADS = """select unnest([1, 2, 3, 4]) as lead_id, unnest(['Mei Lin', 'Bob Ray', 'Twin', 'Shop']) as full_name,
    unnest(['mei@x.example', 'Bob@x.example', 'mei@x.example', 'no-reply@shop.example']) as email,
    unnest(['zh-TW', 'en', 'en', 'en']) as language, unnest([null, 'ken', null, null]) as owner"""


class Desk:
    """The workspace of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(MONDAY)
        (folder / "senders").mkdir(parents=True)
        (folder / "templates").mkdir()
        self.write("sfactl.toml", 'schema = 1\n[workspace]\nname = "Acme"\n')
        self.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\n')
        shutil.copy(PRESET / "cases.toml", folder)
        for template in (PRESET / "templates").glob("case-*.toml"):
            shutil.copy(template, folder / "templates")
        Workspace.create(folder).close()
        with self.session() as session, session.write("leads", "reps") as tx:
            session.reserve("lead", 100)
            tx.upsert("leads", LEADS)
            tx.upsert("reps", "select 'ken' as rep_id, 'Ken' as name, 'ken@acme.example' as email, true as active")
            tx.commit()

    def write(self, path: str, text: str) -> None:
        """Write one of the user's files."""
        (self.folder / path).write_text(text, encoding="utf-8")

    def rules(self, old: str, new: str) -> None:
        """Say something else in cases.toml."""
        text = (self.folder / "cases.toml").read_text(encoding="utf-8")
        assert old in text
        self.write("cases.toml", text.replace(old, new))

    @contextmanager
    def session(self, *, dry_run: bool = False) -> Iterator[Session]:
        """Open the workspace for one command."""
        with open_session(
            self.folder,
            settings=load_settings(self.folder, env=None, environ={}, no_plugins=()),
            command="case",
            actor="mei",
            dry_run=dry_run,
            clock=self.clock,
            quiet=True,
        ) as session:
            yield session

    def open(self, lead: str = "1", **said: str) -> str:
        """Open a case, a minute later than what was before."""
        self.clock.advance(timedelta(minutes=1))
        with self.session() as session:
            return str(usecases.open_case(session, "Laser does not start", lead=lead, **said).case_id)

    def set(self, case: str, **said: str) -> None:
        """Change a case, a minute later."""
        self.clock.advance(timedelta(minutes=1))
        with self.session() as session:
            usecases.change(session, [case], said)

    def ack(self, *, dry_run: bool = False) -> AckResult:
        """Tell customers."""
        with self.session(dry_run=dry_run) as session:
            return usecases.acknowledge(session)

    def read(self, *mails: str, dry_run: bool = False) -> CaseMailResult:
        """Bring in mails."""
        folder = self.folder / "in"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for number, mail in enumerate(mails):
            (folder / f"{number}.eml").write_text(mail, encoding="utf-8")
        with self.session(dry_run=dry_run) as session:
            return usecases.read_case_mail(session, [folder])

    def sent(self) -> list[EmailMessage]:
        """What is in the outbox, in the order of cases and changes."""
        parser = BytesParser(policy=policy.default)
        found = [parser.parsebytes(p.read_bytes()) for p in (self.folder / "outbox" / "new").glob("*")]
        return sorted(
            (m for m in found if isinstance(m, EmailMessage)), key=lambda m: (str(m["Date"]), str(m["Subject"]))
        )

    def rows(self, sql: str) -> Sequence[tuple[Any, ...]]:
        """Ask the data."""
        with self.session() as session, session.query() as query:
            return query.rows(sql)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "ws")
