"""For every strategy: the parts of each lead's score add up to what is stored, and nothing later changes it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.scoring import usecases
from sfactl.session import Session
from sfactl.workspace import Workspace
from tests.learning_world import NOW, session_in

pytest.importorskip("sfactl_scoring_learned")
pytest.importorskip("sfactl_scoring_rfm")

LEADS = 90
LEARNING = """schema = 1
strategy = "{strategy}"
decimals = {decimals}
min_samples = 10
min_won = 2
ceiling = 95
{more}
[outcome]
field = "converted"
[measures]
calls = "count(touchpoints) filter (where kind = 'call' and within('100 days'))"
"""
SCORES = {
    "rules": """schema = 1
decimals = 2
floor = -20
ceiling = 60
groups = { web = { cap = 15 } }
rules = [
  { name = "visit", on = "touchpoints", where = "kind = 'visit'", points = 3.5, group = "web", decay = { half_life = "9 days" } },
  { name = "form", on = "touchpoints", where = "kind = 'form'", points = 8, cap = 20, decay = { linear = "60 days" } },
  { name = "once", on = "touchpoints", where = "kind = 'call'", points = 5, limit = "first" },
  { name = "days", on = "touchpoints", points = 1.25, limit = "daily", group = "web" },
  { name = "left", on = "touchpoints", where = "kind = 'unsubscribe'", points = -30 },
  { name = "big", where = "size > 50", points = 7 },
]
""",
    "frequency": LEARNING.format(strategy="frequency", decimals=1, more=""),
    "learned": LEARNING.format(strategy="learned", decimals=2, more=""),
    "untrained": LEARNING.format(strategy="frequency", decimals=1, more='fallback = "rules"'),
    "rfm": 'schema = 1\nstrategy = "rfm"\ndecimals = 2\nsettings = { quantiles = 3 }\n',
    "rfa": 'schema = 1\nstrategy = "rfa"\ndecimals = 1\nfloor = 12\nsettings = { third = "activity", quantiles = 7 }\n',
}


def workspace(folder: Path, seed: int) -> None:
    draw = random.Random(seed)
    Workspace.create(folder).close()
    (folder / "scores").mkdir()
    for name, text in SCORES.items():
        (folder / "scores" / f"{name}.toml").write_text(text, encoding="utf-8")
    leads = [
        {
            "lead_id": n,
            "country": draw.choice(["TW", "JP", "ΩÜ", None]),
            "source": draw.choice("abcdefgh"),
            "size": draw.choice([None, draw.randrange(200), 10**12, -5]),
            "converted": draw.choice([True, False, None]),
        }
        for n in range(1, LEADS + 1)
    ]
    kinds = ["visit", "form", "call", "unsubscribe"]
    touches = [touch(f"t{k}", draw, draw.choice(kinds), -draw.randrange(150 * 86_400)) for k in range(500)]
    orders = [
        {
            "order_id": k,
            "lead_id": draw.randrange(1, LEADS),
            "at": NOW - timedelta(hours=draw.randrange(9000)),
            "amount": Decimal(draw.randrange(10**6)) / 100,
            "currency": draw.choice(["TWD", "EUR", None]),
            "status": draw.choice(["paid", "cancelled", None]),
        }
        for k in range(150)
    ]
    with session_in(folder) as session, session.write("leads", "orders") as tx:
        for dataset, rows in (("leads", leads), ("orders", orders)):
            tx.upsert(dataset, table(session, dataset, rows))
        tx.append("touchpoints", table(session, "touchpoints", touches))
        tx.commit()


def touch(name: str, draw: random.Random, kind: str, seconds: int) -> dict[str, Any]:
    return {"event_id": name, "lead_id": draw.randrange(1, LEADS), "kind": kind, "at": NOW + timedelta(seconds=seconds)}


def table(session: Session, dataset: str, rows: list[dict[str, Any]]) -> pa.Table:
    types = session.workspace.schemas[dataset].arrow()
    return pa.Table.from_pylist(rows, schema=pa.schema([field for field in types if field.name in rows[0]]))


def stored(session: Session) -> dict[tuple[int, str], float]:
    with session.query() as query:
        rows = query.rows("select lead_id, score, points from scores")
    return {(lead, score): points for lead, score, points in rows}


@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_parts_add_up_and_the_future_does_not_matter(seed: int) -> None:
    with TemporaryDirectory() as parent, opened(Path(parent) / "ws", seed) as session:
        for name in ("frequency", "learned"):
            trained = usecases.train(session, name, split="random")
            assert trained.kept, trained.note
        assert usecases.run(session).skipped == ()
        found = stored(session)
        assert len(found) == LEADS * len(SCORES)
        for lead in range(1, LEADS + 1, 11):
            for one in usecases.explain(session, lead).scores:
                assert sum((reason.points for reason in one.reasons), Decimal(0)) == one.points
                assert one.points == Decimal(str(found[lead, one.score])), one
                assert one.agrees
                assert all(reason.points for reason in one.reasons)
        draw = random.Random(seed + 1)
        later = [touch(f"later{k}", draw, "visit", 1 + draw.randrange(10**6)) for k in range(100)]
        with session.write() as tx:
            tx.append("touchpoints", table(session, "touchpoints", later))
            tx.commit()
        assert usecases.run(session).commit is None
        assert stored(session) == found


@contextmanager
def opened(folder: Path, seed: int) -> Iterator[Session]:
    workspace(folder, seed)
    with session_in(folder) as session:
        yield session


def test_every_strategy_is_in_the_list() -> None:
    """A strategy that ships without a place here would go untested."""
    from sfactl.host import Host

    offered: Iterator[str] = iter(Host().offers("scoring_strategy"))
    assert set(offered) <= {"rules", "frequency", "learned", "rfm", "rfa"}
