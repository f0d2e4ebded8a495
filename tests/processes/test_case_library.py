"""A won deal is kept with the rows that tell its way, and a strategy drafted after it reads like any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa
import pytest

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.processes import usecases
from sfactl.session import Session
from sfactl.strategies.files import check_strategy, read_names, read_strategy

START = datetime(2026, 3, 2, 9)
WAY = (("visit", 0), ("call", 1), ("call", 1.2), ("demo", 12), ("email_open", 13), ("meeting", 20), ("call", 99))


@pytest.fixture
def sold(session: Session) -> Session:
    with session.write("leads", "opportunities", "touchpoints") as tx:
        tx.upsert(
            "leads", pa.table({"lead_id": [5], "industry": ['car "makers"'], "country": ["O'TW"], "employees": [90]})
        )
        tx.upsert(
            "opportunities",
            pa.table(
                {
                    "opportunity_id": [7, 8, 9], "lead_id": [5, 5, None], "category": ["won", "open", "won"],
                    "closed_at": pa.array([START + timedelta(days=30), None, START], pa.timestamp("us")),
                }
            ),
        )  # fmt: skip
        at = [START + timedelta(days=day) for _, day in WAY]
        tx.append(
            "touchpoints",
            pa.table(
                {
                    "event_id": [f"e{n}" for n in range(len(WAY))], "lead_id": [5] * len(WAY),
                    "kind": [kind for kind, _ in WAY], "at": pa.array(at, pa.timestamp("us")),
                }
            ),
        )  # fmt: skip
        tx.commit()
    return session


def test_the_way_is_kept_with_its_rows(sold: Session) -> None:
    made = usecases.add_case(sold, 7, name="good", note="patience")
    assert usecases.show_case(sold, "good") == made == usecases.list_cases(sold)[0]
    assert [(s.what, s.day, s.row) for s in made.path] == [
        (kind, day, f"touchpoints e{n}") for n, (kind, day) in enumerate(WAY) if day <= 30
    ]
    assert made.traits == {"industry": 'car "makers"', "country": "O'TW", "employees": 90}


def test_a_draft_goes_the_same_way(sold: Session) -> None:
    usecases.add_case(sold, 7, name="good")
    drafted = usecases.use_case(sold, "good", strategy="again", owner="mei")
    file = read_strategy(sold.folder, "again")
    check_strategy(file, read_names(sold.folder, sold.workspace.schemas), now=sold.now())
    steps = file.strategy.steps
    assert (drafted.steps, file.strategy.state) == (len(steps), "draft")
    assert [s.lasts or (s.task.kind if s.task else "") for s in steps] == ["call", "11 days", "demo", "8 days", "visit"]
    with pytest.raises(PolicyError, match="is there already"):
        usecases.use_case(sold, "good", strategy="again")


def test_what_is_no_good_case(sold: Session, opened: Callable[..., Session]) -> None:
    for deal, kind, message in (
        (8, PolicyError, "is open, not won"), (9, PolicyError, "came from no lead"), (6, NotFound, "no opportunity 6"),
    ):  # fmt: skip
        with pytest.raises(kind, match=message):
            usecases.add_case(sold, deal)
    assert usecases.add_case(opened(dry_run=True), 7).name == "opp-7"
    assert usecases.list_cases(sold) == ()
    usecases.add_case(sold, 7, name="good")
    with pytest.raises(UserError, match="lower-case"):
        usecases.use_case(sold, "good", strategy="../x")
    with pytest.raises(NotFound, match="there is no case 'god'"):
        usecases.show_case(sold, "god")
