"""A small workspace with strategies, a clock that stands still, and an outbox that can be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.campaigns.usecases.scene import place_of
from sfactl.config.layers import load_settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.strategies import usecases
from sfactl.strategies.book import open_book
from sfactl.strategies.files import read_names
from sfactl.strategies.usecases.applying import ApplyResult
from sfactl.strategies.usecases.plans import PlanResult
from sfactl.strategies.walk import walk
from sfactl.workspace import Workspace

FRIDAY = datetime(2026, 11, 20, 2, 0)
"""10:00 on a Friday in Taipei."""

HEAD = """
schema = 1
summary = "Win back"
owner = "amy"
where = "status = 'new'"
[touch]
sender = "outbox"
from = "Acme <news@acme.example>"
"""

TEMPLATE = """
schema = 1
subject = "Hi {{ lead.first_name }}"
text = "Dear {{ lead.first_name }}"
"""

TOUCH = '[[steps]]\nname = "offer"\naction = "touch"\ntemplate = "hello"\n'
WAIT = '[[steps]]\nname = "breathe"\naction = "wait"\nfor = "3 days"\n'
TASK = '[[steps]]\nname = "call"\naction = "task"\ntask = { title = "Call them" }\n'


class Acme:
    """The workspace of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FixedClock(FRIDAY)
        for name in ("strategies", "templates", "senders", "segments"):
            (folder / name).mkdir(parents=True)
        self.write("sfactl.toml", 'schema = 1\n[workspace]\nname = "Acme"\ntime_zone = "Asia/Taipei"\n')
        self.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\n')
        self.write("templates/hello.toml", TEMPLATE)
        Workspace.create(folder).close()

    def write(self, path: str, text: str) -> None:
        """Write one of the user's files."""
        (self.folder / path).write_text(text, encoding="utf-8")

    def strategy(self, *parts: str, name: str = "winback", head: str = HEAD) -> None:
        """Write a strategy file."""
        self.write(f"strategies/{name}.toml", head + "".join(parts))

    @contextmanager
    def session(self, *, dry_run: bool = False, as_of: str | None = None, actor: str = "mei") -> Iterator[Session]:
        """Open the workspace for one command."""
        settings = load_settings(self.folder, env=None, environ={}, no_plugins=())
        with open_session(
            self.folder,
            settings=settings,
            command="test",
            actor=actor,
            dry_run=dry_run,
            as_of=as_of,
            clock=self.clock,
            quiet=True,
        ) as session:
            yield session

    def leads(self, *numbers: int, **values: Any) -> None:
        """Add or replace leads; what is not said has defaults."""
        rows = [
            {"lead_id": n, "status": "new", "email": f"u{n}@example.com", "first_name": f"N{n}", "country": "TW"}
            | values
            for n in numbers
        ]
        self.rows("leads", *rows)

    def rows(self, dataset: str, *rows: dict[str, Any]) -> None:
        """Add rows to any dataset."""
        with self.session() as session, session.write(dataset) as tx:
            schema = session.workspace.schemas[dataset]
            table = pa.Table.from_pylist(list(rows), schema.arrow())
            (tx.upsert if schema.kind == "state" else tx.append)(dataset, table)
            tx.commit()

    def select(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the datasets."""
        with self.session() as session, session.query() as query:
            return query.rows(sql)

    def walked(
        self, name: str = "winback", *, at: datetime | None = None, look_at: tuple[int, ...] = ()
    ) -> dict[Any, str]:
        """Walk once without writing: action, reason and next step by lead and step."""
        with self.session() as session, session.query() as query:
            names = read_names(session.folder, session.workspace.schemas)
            book = open_book(query, name, place_of(session), names)
            if look_at:
                query.register("chosen_ones", pa.table({"lead_id": pa.array(look_at, pa.int64())}))
            walk(query, book, at=at or self.clock.now(), look_at="chosen_ones" if look_at else "")
            found = query.rows("select lead_id, step, action, reason, to_step from walked order by lead_id, step_no")
            self.moves = {r[0]: r[1:] for r in query.rows("select lead_id, step, state, reason, is_out from moves")}
        return {(r[0], r[1]): f"{r[2]}{f' ({r[3]})' if r[3] else ''}{f' → {r[4]}' if r[4] else ''}" for r in found}

    def enrol(self, lead_id: int, step: str, since: datetime, **values: Any) -> None:
        """Put a lead into the strategy as its file is now."""
        with self.session() as session, session.query() as query:
            names = read_names(session.folder, session.workspace.schemas)
            version = open_book(query, values.get("strategy", "winback"), place_of(session), names).file.version
        row = {"strategy": "winback", "lead_id": lead_id, "rotation": 1, "version": version, "step": step}
        self.rows("enrolments", row | {"since": since, "entered_at": since, "state": "active"} | values)

    def plan(self, name: str = "winback", **options: Any) -> PlanResult:
        """Plan a strategy."""
        with self.session() as session:
            return usecases.plan(session, name, **options)

    def apply(self, plan_id: str) -> ApplyResult:
        """Apply a plan."""
        with self.session() as session:
            return usecases.apply(session, plan_id)

    def run(self, name: str = "winback", *, days: float = 0) -> ApplyResult:
        """Let time pass, then plan and apply."""
        self.clock.advance(timedelta(days=days))
        return self.apply(self.plan(name).plan_id)

    def standing(self) -> dict[int, tuple[Any, ...]]:
        """Where every lead stands: step and state, and why it left."""
        found = self.select("select lead_id, step, state, reason from enrolments order by lead_id, rotation")
        return {r[0]: r[1:] for r in found}

    def outbox(self) -> list[str]:
        """Addresses that mails were sent to."""
        parse = BytesParser(policy=policy.default).parsebytes
        return sorted(str(parse(p.read_bytes())["To"]) for p in (self.folder / "outbox" / "new").glob("*"))


@pytest.fixture
def acme(tmp_path: Path) -> Acme:
    """A workspace on a Friday morning in Taipei."""
    return Acme(tmp_path / "acme")
