"""A made-up past to learn from: leads, what they did, who was won, and fields that were only filled afterwards."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from sfactl.config.settings import Settings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace

START = datetime(2026, 1, 1, 8)
NOW = datetime(2026, 11, 21, 9)
FIELDS = {"size": "integer", "contract_no": "text", "survey": "number", "surveyed_on": "date", "converted": "boolean"}
SETTINGS = Settings(fields={"leads": FIELDS})
LEADS = 320
OPEN = 20

BUYER = """schema = 1
summary = "Chance to buy"
strategy = "frequency"
min_samples = 100
fallback = "fit"
grades = [{ at_least = 50, grade = "A" }, { at_least = 20, grade = "B" }, { at_least = 0, grade = "C" }]

[measures]
visits = "count(touchpoints) filter (where kind = 'visit' and within('60 days'))"
"""
FIT = """schema = 1
strategy = "rules"
decimals = 0
rules = [{ name = "big", where = "size > 100", points = 40 }, { name = "tw", where = "country = 'TW'", points = 20 }]
"""
INTENT = """schema = 1
strategy = "rules"
decimals = 1
rules = [
  { name = "visit", on = "touchpoints", where = "kind = 'visit'", points = 5, decay = { half_life = "10 days" } },
  { name = "paid", on = "touchpoints", where = "kind = 'invoice'", points = 50 },
]
"""


def build_backfilled(folder: Path) -> Path:
    """The same leads, learned of all at once long after their outcomes: history tells nothing."""
    Workspace.create(folder).close()
    (folder / "scores").mkdir()
    (folder / "scores" / "buyer.toml").write_text(BUYER.replace('fallback = "fit"\n', ""), encoding="utf-8")
    leads = [_lead(n) for n in range(1, LEADS + 1)]
    with session_in(folder, START + timedelta(days=300)) as session, session.write("opportunities", "leads") as tx:
        tx.upsert("leads", _table("leads", [_afterwards(lead) for lead in leads]))
        tx.upsert("opportunities", _table("opportunities", [_deal(lead) for lead in leads]))
        tx.append("touchpoints", _table("touchpoints", [event for lead in leads for event in _events(lead)]))
        tx.commit()
    return folder


def session_in(folder: Path, at: datetime = NOW, **options: Any) -> Session:
    return open_session(folder, settings=SETTINGS, command="test", actor="tester", clock=FixedClock(at), **options)


def build(folder: Path) -> Path:
    """Leads come on 1 January; won or lost a month and more later; contract and survey are filled the day after."""
    Workspace.create(folder).close()
    (folder / "scores").mkdir()
    for name, text in (("buyer", BUYER), ("fit", FIT), ("intent", INTENT)):
        (folder / "scores" / f"{name}.toml").write_text(text, encoding="utf-8")
    leads = [_lead(n) for n in range(1, LEADS + 1)]
    closed = [lead for lead in leads if lead["lead_id"] <= LEADS - OPEN]
    with session_in(folder, START) as session, session.write("leads") as tx:
        tx.upsert("leads", _table("leads", leads))
        tx.append("touchpoints", _table("touchpoints", [event for lead in leads for event in _events(lead)]))
        tx.commit()
    with session_in(folder, START + timedelta(days=200)) as session, session.write("opportunities", "leads") as tx:
        tx.upsert("opportunities", _table("opportunities", [_deal(lead) for lead in closed]))
        tx.upsert("leads", _table("leads", [_afterwards(lead) for lead in closed]))
        tx.commit()
    return folder


def won(n: int) -> bool:
    """Who buys: those with more visits and of greater size, mostly."""
    return random.Random(n).random() < (0.75 if n % 3 == 0 else 0.15)


def closed_at(n: int) -> datetime:
    return START + timedelta(days=30 + n % 100, hours=n % 11)


def _lead(n: int) -> dict[str, Any]:
    draw = random.Random(n + 10_000)
    return {
        "lead_id": n,
        "full_name": f"Lead {n}",
        "country": draw.choice(["TW", "JP"] if n % 3 == 0 else ["TW", "DE", "US", "JP"]),
        "source": draw.choice(["fair", "web", "誌"]),
        "size": draw.choice([150, 300]) if n % 3 == 0 and draw.random() < 0.7 else draw.choice([5, 20, 150]),
        "status": "new",
        "created_at": START,
        "updated_at": START,
    }


def _events(lead: dict[str, Any]) -> list[dict[str, Any]]:
    n = lead["lead_id"]
    visits = (4 if n % 3 == 0 else 1) + n % 2
    rows = [
        {"event_id": f"v{n}-{k}", "at": closed_at(n) - timedelta(days=3 + 2 * k), "kind": "visit", "lead_id": n}
        for k in range(visits)
    ]
    if won(n) and n <= LEADS - OPEN:
        rows.append({"event_id": f"i{n}", "at": closed_at(n) + timedelta(days=1), "kind": "invoice", "lead_id": n})
    return rows


def _deal(lead: dict[str, Any]) -> dict[str, Any]:
    n = lead["lead_id"]
    at = closed_at(n)
    category = "won" if won(n) else "lost"
    return {
        "opportunity_id": n,
        "lead_id": n,
        "stage": category,
        "category": category,
        "created_at": START,
        "updated_at": at,
        "closed_at": at,
    }


def _afterwards(lead: dict[str, Any]) -> dict[str, Any]:
    n = lead["lead_id"]
    chance = random.Random(n + 77)
    filled = chance.random() < (0.6 if won(n) else 0.4)
    return {
        **lead,
        "status": "converted",
        "contract_no": random.Random(n).choice(["A", "B", "C"]) if chance.random() < (0.5 if won(n) else 0.2) else None,
        "survey": float(n % 7) if filled else None,
        "surveyed_on": (closed_at(n) + timedelta(days=5)).date() if filled else None,
        "converted": won(n),
        "updated_at": START + timedelta(days=200),
    }


def _table(dataset: str, rows: list[dict[str, Any]]) -> pa.Table:
    from sfactl.schemas import Schemas

    types = Schemas(SETTINGS.fields)[dataset].arrow()
    names = {name for row in rows for name in row}
    return pa.Table.from_pylist(rows, schema=pa.schema([field for field in types if field.name in names]))
