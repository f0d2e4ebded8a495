"""A small workspace with campaigns, a clock that stands still, and an outbox that can be looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns import usecases
from sfactl.campaigns.usecases import applying, delivery
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


class Scripted:
    """A sender that answers as told and remembers what it was given."""

    def __init__(self, answer: Callable[[Message, int], str | Exception]) -> None:
        self.answer = answer
        self.taken: list[str] = []
        self.tries: dict[str, int] = {}
        self.before_batch: Callable[[int], None] = lambda n: None
        self.batches = 0

    def check(self) -> CheckReport:
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        self.batches += 1
        for message in messages:
            self.tries[message.recipient] = self.tries.get(message.recipient, 0) + 1
            said = self.answer(message, self.tries[message.recipient])
            if isinstance(said, Exception):
                raise said
            if said == "accepted":
                self.taken.append(message.recipient)
            outcome, _, wait = said.partition(" ")
            yield Receipt(key=message.key, outcome=outcome, detail=f"said {outcome}", retry_after_s=float(wait or 0))  # type: ignore[arg-type]
        self.before_batch(self.batches)

    def close(self) -> None: ...


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Put a scripted sender in the place of the campaign's own."""

    def use(answer: Callable[[Message, int], str | Exception] = lambda m, n: "accepted") -> Scripted:
        sender = Scripted(answer)
        monkeypatch.setattr(applying, "make_sender", lambda session, files: sender)
        forgetful = TouchpointSenderOffer(name="scripted", summary="", target="nowhere:Nothing")
        monkeypatch.setattr(delivery, "sender_offer", lambda session, files: forgetful)
        return sender

    return use


def leads(acme: Acme, count: int) -> None:
    acme.leads(*({"lead_id": n} for n in range(1, count + 1)))


def row_and_files(session: Session, plan_id: str) -> tuple[Any, Any]:
    """What a run of the plan stands on."""
    with session.query() as query:
        row = applying.find_plan(query, plan_id)
    return row, applying.read_files(session, row.campaign)
