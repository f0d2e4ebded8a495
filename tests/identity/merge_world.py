"""A small workspace in which records are merged, and its whole logical content."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from sfactl.config.settings import EngineSettings, Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 5, 4, 9)
KEPT_BY_MERGES = {"merges", "merge_moves", "record_aliases"}


@contextmanager
def world(folder: Path, **options: Any) -> Iterator[Session]:
    """A session on the workspace in ``folder``, which is made if it is not there; its clock stands still."""
    if not (folder / ".sfactl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        Workspace.create(folder).close()
    settings = Settings(engine=EngineSettings(threads=1))
    values = {"command": "test", "actor": "mei", "clock": FixedClock(NOW), "quiet": True, **options}
    with open_session(folder, settings=settings, **values) as session:
        yield session


def put(session: Session, dataset: str, *rows: Mapping[str, Any]) -> int:
    """Write rows to a dataset; answers the commit."""
    schema = session.workspace.schemas[dataset]
    table = pa.Table.from_pylist([{n: r.get(n) for n in schema.types} for r in rows], schema=schema.arrow())
    with session.write(*([dataset] if schema.kind == "state" else [])) as tx:
        if schema.kind == "state":
            tx.upsert(dataset, table)
        else:
            tx.append(dataset, table)
        return tx.commit().seq or 0


def content(session: Session, *, without: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Every row of every dataset as text, in order; not what merges keep for themselves, nor the stages they told."""
    found = {}
    with session.query() as query:
        for name in session.workspace.schemas:
            if name in KEPT_BY_MERGES | without or not session.workspace.snapshot(query.seq).files(name):
                continue
            where = " where cause is null or not cause like '%merge:%'" if name == "stage_events" else ""
            rows = [str(row) for row in query.rows(f"select * from {name}{where}")]
            if rows:
                found[name] = sorted(rows)
    return found


def rows_of(session: Session, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement."""
    with session.query() as query:
        return query.rows(sql)


DAY = datetime(2026, 1, 1)


def day(n: int) -> datetime:
    """A day of January."""
    return DAY.replace(day=n)


CAST: dict[str, tuple[dict[str, Any], ...]] = {
    "leads": (
        {"lead_id": 1, "status": "converted", "email": "ann@old.example", "full_name": "Ann Li", "first_name": "Ann",
         "company": "Acme", "company_key": "acme", "source": "expo", "channel": None, "note": "met in Taipei",
         "external_id": "X1", "id_namespace": "crm", "account_id": 10, "contact_id": 100, "opportunity_id": 1000,
         "created_at": day(1), "updated_at": day(5), "owner": "kim", "budget": Decimal("12345678901234.5678")},
        {"lead_id": 2, "status": "converted", "email": "ann@new.example", "phone": "+886212345678", "full_name": "Ann Lee",
         "source": "web", "channel": "seo", "note": "asked for a price", "external_id": "X2", "id_namespace": "crm",
         "account_id": 20, "contact_id": 200, "opportunity_id": 2000, "created_at": day(2), "updated_at": day(9),
         "owner": "lee", "country": "TW", "city": "Taipei"},
        {"lead_id": 3, "status": "mql", "email": "ann@third.example", "title": "CEO", "created_at": day(3),
         "updated_at": day(4), "row_key": "r3:1", "id_namespace": "file"},
        {"lead_id": 4, "status": "new", "email": "bob@x.example", "referrer_kind": "lead", "referrer_id": "1"},
    ),
    "accounts": (
        {"account_id": 10, "name": "Acme", "lead_id": 1, "created_at": DAY},
        {"account_id": 20, "name": "ACME Ltd", "lead_id": 2, "parent_id": 10},
        {"account_id": 30, "name": "Acme Sub", "parent_id": 20},
    ),
    "contacts": ({"contact_id": 100, "account_id": 10, "lead_id": 1}, {"contact_id": 200, "account_id": 20, "lead_id": 2}),
    "opportunities": (
        {"opportunity_id": 1000, "account_id": 10, "contact_id": 100, "lead_id": 1, "category": "won", "amount": 5},
        {"opportunity_id": 2000, "account_id": 20, "contact_id": 200, "lead_id": 2, "category": "open", "amount": 7},
    ),
    "quotes": ({"quote_id": 1, "lead_id": 1, "account_id": 10}, {"quote_id": 2, "lead_id": 2, "account_id": 20}),
    "orders": ({"order_id": 1, "lead_id": 1, "account_id": 10}, {"order_id": 2, "lead_id": 2, "account_id": 20}),
    "order_lines": ({"order_id": 1, "line_no": 1, "lead_id": 1}, {"order_id": 2, "line_no": 1, "lead_id": 2}),
    "receivables": ({"receivable_id": "r1", "account_id": 10}, {"receivable_id": "r2", "account_id": 20}),
    "receipts": ({"receipt_id": "p1", "account_id": 10},),
    "tasks": ({"task_id": "t1", "lead_id": 1}, {"task_id": "t2", "lead_id": 2}, {"task_id": "t3", "lead_id": 3}),
    "scores": (
        {"lead_id": 1, "score": "fit", "points": 0.1}, {"lead_id": 2, "score": "fit", "points": 0.3},
        {"lead_id": 1, "score": "intent", "points": 7.0}, {"lead_id": 3, "score": "intent", "points": 8.0},
    ),
    "segment_members": (
        {"segment": "hot", "lead_id": 1, "since": DAY}, {"segment": "hot", "lead_id": 3, "since": DAY},
        {"segment": "tw", "lead_id": 2, "since": DAY},
    ),
    "tags": (
        {"entity": "lead", "entity_id": 1, "tag": "vip", "source": "manual", "author": "mei", "lead_id": 1},
        {"entity": "lead", "entity_id": 2, "tag": "vip", "source": "manual", "author": "mei", "lead_id": 2},
        {"entity": "lead", "entity_id": 1, "tag": "laser", "source": "manual", "author": "mei", "lead_id": 1},
        {"entity": "account", "entity_id": 10, "tag": "vip", "source": "manual", "author": "mei", "account_id": 10},
    ),
    "identities": ({"kind": "email", "value": "ann@first.example", "namespace": "", "lead_id": 1, "since": DAY},),
    "suppressions": ({"kind": "email", "value": "ann@first.example", "scope": "all", "reason": "bounce", "at": DAY},),
    "touchpoints": (
        {"event_id": "e1", "at": day(1), "kind": "unsubscribe", "lead_id": 1, "account_id": 10},
        {"event_id": "e2", "at": day(2), "kind": "subscribe", "lead_id": 2, "contact_id": 200},
        {"event_id": "e3", "at": day(3), "kind": "visit", "lead_id": 3},
    ),
    "messages": ({"at": DAY, "message_key": "m1", "campaign": "spring", "step": "a", "lead_id": 1, "recipient": "ann@old.example", "state": "accepted"},),
    "stage_events": tuple(
        {"event_id": f"s{n}", "at": day(n), "entity": "lead", "entity_id": n, "to_stage": s}
        for n, s in ((1, "converted"), (2, "converted"), (3, "mql"))
    ),
    "assignments": (
        {"event_id": "a1", "at": DAY, "entity": "lead", "entity_id": 1, "rep_id": "kim"},
        {"event_id": "a2", "at": DAY, "entity": "account", "entity_id": 10, "rep_id": "kim"},
    ),
    "score_events": ({"event_id": "c1", "at": DAY, "lead_id": 1, "score": "fit", "points": 0.1},),
}  # fmt: skip
"""Four leads, two of them converted, with something in every dataset that can name them."""

FEW = ("leads", "tasks", "scores", "identities")


def build(folder: Path, datasets: Iterable[str] = tuple(CAST)) -> Path:
    """A workspace with the rows of ``datasets``."""
    with world(folder) as session:
        for name in datasets:
            put(session, name, *CAST[name])
    return folder


@contextmanager
def copied(built: Path, into: Path) -> Iterator[Session]:
    """A session on a copy of a workspace that was built once."""
    shutil.copytree(built, into)
    with world(into) as session:
        yield session
