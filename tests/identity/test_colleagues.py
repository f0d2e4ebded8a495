"""People of one company share nearly everything; a given name in common does not make them one."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.config.settings import Settings
from sfactl.identity.usecases.dedupe import pairs_of_plan, plan
from sfactl.session import FixedClock, open_session
from sfactl.workspace import Workspace

NOW = datetime(2026, 11, 21, 9, 0)
SOUNDS = ("ka", "mi", "ro", "len", "do", "sa", "vi", "tur", "ne", "bo", "gal", "fi", "zu", "pel", "wo", "ha")


def word(draw: random.Random, parts: int) -> str:
    return "".join(draw.choice(SOUNDS) for _ in range(parts)).capitalize()


def people(draw: random.Random, copies: int) -> list[dict[str, object]]:
    """Three hundred companies with one to nine people each, all with the company's data; some are there twice."""
    given = [word(draw, 2) for _ in range(120)]
    rows: list[dict[str, object]] = []
    for n in range(300):
        company = f"{word(draw, 3)} {word(draw, 2)}"
        site = f"{company.replace(' ', '').lower()}.example"
        shared = {
            "company": f"{company} Ltd",
            "company_key": company.replace(" ", "").lower(),
            "website": f"https://{site}",
            "tax_id": str(10_000_000 + 7919 * n),
            "street": f"{draw.randrange(1, 200)} {word(draw, 2)} Street",
            "city": word(draw, 2),
            "country": "GB",
        }
        for _ in range(draw.randrange(1, 10)):
            first, last = draw.choice(given), word(draw, 5)
            rows.append(
                shared
                | {
                    "first_name": first,
                    "last_name": last,
                    "full_name": f"{first} {last}",
                    "email": f"{first}.{last}@{site}".lower(),
                    "phone": f"+44{draw.randrange(10**9, 10**10)}",
                }
            )
    for row in draw.sample(rows, copies):
        rows.append(row | {"email": f"{row['last_name']}@post.example".lower()})
    return [{"lead_id": n, "status": "new", "created_at": NOW} | row for n, row in enumerate(rows, 1)]


def pairs(folder: Path, rows: list[dict[str, object]]) -> list[dict[str, Any]]:
    """What a plan finds among these leads."""
    Workspace.create(folder).close()
    with open_session(
        folder, settings=Settings(), command="test", actor="mei", clock=FixedClock(NOW), quiet=True
    ) as session:
        with session.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows))
            tx.commit()
        found: list[dict[str, Any]] = pairs_of_plan(session, plan(session, "lead").plan.plan_id).to_pylist()
    return found


@pytest.mark.parametrize("copies", [0, 12])
def test_colleagues_are_left_apart_and_copies_are_found(tmp_path: Path, copies: int) -> None:
    rows = people(random.Random(7), copies)
    found = pairs(tmp_path / "ws", rows)
    names = {row["lead_id"]: row["full_name"] for row in rows}
    assert [pair for pair in found if names[pair["a"]] != names[pair["b"]]] == []
    assert len([pair for pair in found if pair["decision"] == "merge"]) == copies


NAMESAKES = {
    ("Xanthippe", "Quillfeather"): ({}, {}),
    ("Ottokar", "Brumbletoft"): ({"email": "ob@north.example"}, {"email": "ob@south.example"}),
    ("Philomena", "Zwack"): ({"city": "Cork", "phone": "+353211234567"}, {"city": "Cork", "phone": "+353217654321"}),
    ("Isidor", "Vanterpool"): ({"phone": "+353219998887"}, {"phone": "+353219998887"}),
    ("Leocadia", "Umpleby"): ({"email": "leo@umpleby.example"}, {"email": "leo@umpleby.example"}),
}
"""Pairs of people with a rare name in common, each at two companies; the last two have more in common."""


def test_a_rare_name_at_two_companies_is_left_to_people_unless_more_is_the_same(tmp_path: Path) -> None:
    rows = people(random.Random(7), 12)
    empty = dict.fromkeys(rows[0])
    for n, ((first, last), both) in enumerate(NAMESAKES.items()):
        for side, own in enumerate(both):
            company = f"{('Optik', 'Foundry')[side]} {('Ahlen', 'Borg', 'Cluj', 'Dax', 'Elche')[n] * (1 + side)}"
            mine = {"lead_id": 9000 + 10 * n + side, "status": "new", "created_at": NOW, "company": company}
            mine |= {"first_name": first, "last_name": last, "company_key": company.lower(), "country": "GB"}
            rows.append({**empty, **mine, **own})
    found = {(p["a"], p["b"]): p["decision"] for p in pairs(tmp_path / "ws", rows) if p["a"] >= 9000}
    expected = ["review", "review", "review", "merge", "merge"]
    assert found == {(9000 + 10 * n, 9001 + 10 * n): decision for n, decision in enumerate(expected)}
