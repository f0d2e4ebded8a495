"""The strategies that ship let in exactly whom their conditions mean, at the very boundary, and their mails can be written."""

from __future__ import annotations

import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sfactl.strategies import usecases

from .conftest import FRIDAY, Acme

PRESET = Path(__file__).resolve().parents[2] / "configs" / "b2b"
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


class People:
    """Leads with orders and touchpoints, each with what is to become of them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {"leads": [], "orders": [], "touchpoints": [], "scores": []}
        self.names: dict[int, str] = {}

    def add(self, name: str, **lead: Any) -> int:
        number = len(self.names) + 1
        self.names[number] = name
        self.rows["leads"].append({"lead_id": number, "status": "new", "email": f"u{number}@example.com"} | lead)
        return number

    def orders(self, name: str, *orders: dict[str, Any]) -> None:
        number = self.add(name)
        for order in orders:
            place = len(self.rows["orders"]) + 1
            self.rows["orders"].append(
                {"order_id": place, "lead_id": number, "at": FRIDAY - 90 * DAY, "status": "paid", "amount": 10} | order
            )

    def touches(self, number: int, kind: str, *ago: timedelta) -> None:
        for when in ago:
            place = len(self.rows["touchpoints"])
            self.rows["touchpoints"].append(
                {"event_id": f"e{place}", "at": FRIDAY - when, "kind": kind, "lead_id": number}
            )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Acme, dict[int, str]]:
    acme = Acme(tmp_path_factory.mktemp("preset") / "acme")
    for folder in ("strategies", "templates", "senders", "segments", "scores"):
        shutil.copytree(PRESET / folder, acme.folder / folder, dirs_exist_ok=True)
    p = People()
    p.orders("lately: three days ago", {"at": FRIDAY - 3 * DAY})
    p.orders("no: three days and a second ago", {"at": FRIDAY - 3 * DAY - SECOND})
    p.orders("no: cancelled", {"at": FRIDAY - DAY, "status": "cancelled"})
    p.orders("laser: wide letters", {"product_name": "ＬＡＳＥＲ cutter"})
    p.orders("laser: Chinese", {"product_name": "雷射切割機"})
    p.orders("no: a press", {"product_name": "Press"})
    p.orders("big: a cent above a thousand", {"amount": 500}, {"amount": Decimal("1500.02")})
    p.orders("no: a thousand on the spot", {"amount": 500}, {"amount": 1500})
    p.orders("regular: eleven", *[{}] * 11)
    p.orders("no: ten", *[{}] * 10)
    p.touches(p.add("asked: and got stuck"), "form_submit", 10 * DAY)
    called = p.add("no: was called")
    p.touches(called, "form_submit", 10 * DAY)
    p.touches(called, "call", 2 * DAY)
    p.touches(p.add("no: asked lately"), "form_submit", 5 * DAY)
    hot = p.add("hot: and no offer")
    p.touches(hot, "visit", DAY, 2 * DAY, 3 * DAY)
    for score, points in (("intent", 60.0), ("fit", 40.0)):
        p.rows["scores"].append({"score": score, "lead_id": hot, "points": points})
    for name, more in (("English", {"language": "en"}), ("Chinese", {"language": "zh-TW", "full_name": "王小明"})):
        sleeper = p.add(f"sleeper: {name}", status="mql", **more)
        p.touches(sleeper, "visit", 90 * DAY, 91 * DAY, 92 * DAY)
    for dataset, rows in p.rows.items():
        acme.rows(dataset, *rows)
    acme.clock.at = FRIDAY
    return acme, p.names


@pytest.mark.parametrize(
    ("strategy", "mark"),
    [
        ("ordered-lately", "lately"),
        ("laser-buyers", "laser"),
        ("big-orders", "big"),
        ("regulars", "regular"),
        ("asked-but-did-not-buy", "asked"),
        ("hot-and-reachable", "hot"),
    ],
)
def test_whom_they_let_in(world: tuple[Acme, dict[int, str]], strategy: str, mark: str) -> None:
    acme, names = world
    entered = {names[n] for (n, step), _ in acme.walked(strategy).items() if step == "entry"}
    assert entered == {name for name in names.values() if name.startswith(f"{mark}: ")}


@pytest.mark.parametrize("strategy", ["wake-up", "customer-journey"])
def test_their_mails_can_be_written_for_everybody(world: tuple[Acme, dict[int, str]], strategy: str) -> None:
    acme, _ = world
    made = acme.plan(strategy, at=FRIDAY + 4 * DAY)
    assert made.moves > 0


def test_they_are_in_order(world: tuple[Acme, dict[int, str]]) -> None:
    acme, _ = world
    with acme.session() as session:
        found = usecases.check(session)
    assert [(f.strategy, f.message) for f in found if f.severity != "ok"] == []
