"""Audiences for advertising platforms: members less those who must be left alone, addresses as documented hashes."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import NotFound
from sfactl.segments.usecases.export import export


@pytest.fixture
def members(session: Any, folder: Path) -> Any:
    (folder / "segments").mkdir(exist_ok=True)
    (folder / "segments" / "all.toml").write_text('schema = 1\nwhere = "lead_id > 0"\n', encoding="utf-8")
    people = {
        9001: (" Ming@Example.com", "+886912345678"),
        9002: ("stop@example.tw", None),
        9003: (None, "+81312345678"),
        9004: (None, "0912"),
    }
    rows = " union all ".join(
        f"select {n} as lead_id, 'new' as status, {_text(mail)} as email, {_text(phone)} as phone"
        for n, (mail, phone) in people.items()
    )
    with session.write("leads", "segment_members", "suppressions") as tx:
        tx.upsert("leads", rows)
        tx.upsert("segment_members", f"select 'all' as segment, lead_id from ({rows})")
        tx.upsert("suppressions", "select 'email' as kind, 'stop@example.tw' as value, 'all' as scope")
        tx.commit()
    return session


def _text(value: str | None) -> str:
    return "cast(null as varchar)" if value is None else f"'{value}'"


def test_the_documented_vector() -> None:
    assert hashlib.sha256(b"ming@example.com").hexdigest().startswith("32013543")


@pytest.mark.parametrize(
    ("platform", "header", "counts"),
    [
        ("linkedin", ["email"], (4, 1, 1, 2)),
        ("google", ["Email", "Phone"], (4, 2, 1, 1)),
        ("meta", ["email", "phone"], (4, 2, 1, 1)),
    ],
    ids=["linkedin", "google", "meta"],
)
def test_an_audience(members: Any, tmp_path: Path, platform: Any, header: list[str], counts: tuple[int, ...]) -> None:
    into = tmp_path / "out" / "audience.csv"
    done = export(members, "all", platform, into)
    assert (done.members, done.exported, done.suppressed, done.unreachable) == counts
    rows = list(csv.reader(into.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == header
    assert len(rows) - 1 == done.exported
    mine = next(r for r in rows if r[0] == hashlib.sha256(b"ming@example.com").hexdigest())
    if platform != "linkedin":
        digits = b"886912345678" if platform == "meta" else b"+886912345678"
        assert mine[1] == hashlib.sha256(digits).hexdigest()
    assert hashlib.sha256(b"stop@example.tw").hexdigest() not in into.read_text(encoding="utf-8")


def test_an_unknown_segment(members: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export(members, "none", "linkedin", tmp_path / "x.csv")
