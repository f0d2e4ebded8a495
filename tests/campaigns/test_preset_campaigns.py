"""The campaigns that ship: each is loaded, checked, and written in both languages to people about whom little is known."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import pytest

from sfactl.campaigns import usecases

from .conftest import Acme

PRESET = Path(__file__).resolve().parents[2] / "configs" / "b2b"
NAMES = sorted(p.stem for p in (PRESET / "campaigns").glob("*.toml"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Acme:
    made = Acme(tmp_path_factory.mktemp("preset") / "acme")
    for folder in ("campaigns", "templates", "senders"):
        shutil.copytree(PRESET / folder, made.folder / folder, dirs_exist_ok=True)
    (made.folder / "campaigns/spring.toml").unlink()
    made.leads(
        {"lead_id": 1, "first_name": None, "country": None},
        {"lead_id": 2, "full_name": "王小明", "company": "台灣精機", "language": "zh-TW", "owner": "mei"},
        {"lead_id": 3, "full_name": "Ann Lee", "company": "Foo & Bar", "product_interest": "LX-300", "owner": "sam"},
        {"lead_id": 4, "first_name": None, "language": "zh"},
    )
    made.rows("reps", [{"rep_id": "mei", "name": "陳美玲", "email": "mei@example.com"}])
    made.rows(
        "touchpoints",
        [
            {
                "event_id": f"f{n}",
                "at": datetime(2026, 11, 19),
                "kind": "form_submit",
                "content": "price-list",
                "lead_id": n,
            }
            for n in (1, 2)
        ],
    )
    made.clock.at = datetime(2026, 11, 24, 3)
    return made


def test_they_are_in_order(world: Acme) -> None:
    with world.session() as session:
        assert {f.severity for f in usecases.check(session)} == {"ok"}


@pytest.mark.parametrize("name", NAMES)
def test_a_plan_can_be_written_for_everybody(world: Acme, name: str) -> None:
    assert world.plan(name).sends > 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("lead", [1, 2, 3, 4])
def test_every_message_reads_well(world: Acme, name: str, lead: int) -> None:
    with world.session() as session:
        shown = [p for p in usecases.preview(session, name, lead) if p.channel == "email"]
    for p in shown:
        assert p.subject.strip()
        assert not {"None", "nan", "{{", "}}"} & set(p.text.split())
        assert ("取消訂閱" in p.text or "敬上" in p.text) == (lead in (2, 4))
        assert "\n\n\n\n" not in p.text
        if p.html:
            assert "Foo & Bar" not in p.html
