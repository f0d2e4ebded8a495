"""Build, size, explain and compare segments on a stored workspace."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from sfactl.api.errors import ConditionError, ConfigError, NotFound
from sfactl.segments import usecases
from sfactl.session import FixedClock, Session

pytestmark = pytest.mark.usefixtures("leads")


def write(folder: Path, name: str, where: str, summary: str = "") -> None:
    text = f"schema = 1\nsummary = {json.dumps(summary)}\nwhere = '''{where}'''\n"
    (folder / "segments" / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def three(folder: Path) -> None:
    """Three segments, of which one depends on the two others."""
    for path in (folder / "segments").glob("*.toml"):
        path.unlink()
    write(folder, "asia", "country in ('TW', 'JP')", "Asia")
    write(folder, "busy", "count(touchpoints) filter (where within('10 days')) >= 5")
    write(folder, "best", "member_of('asia') and member_of('busy') and employees >= 60")


def stored(session: Session, name: str) -> set[int]:
    return set(usecases.members(session, name).column("lead_id").to_pylist())


@pytest.mark.usefixtures("three")
def test_build_stores_members_of_all_segments_in_one_commit(session: Session) -> None:
    result = usecases.build(session)
    assert {b.name: (b.members, b.joined, b.left) for b in result.segments} == {
        "asia": (6, 6, 0),
        "busy": (8, 8, 0),
        "best": (3, 3, 0),
    }
    assert result.commit == session.workspace.head()
    assert stored(session, "best") == {6, 8, 12}  # lead 10 has no known size


@pytest.mark.usefixtures("three")
def test_a_second_build_writes_nothing_and_keeps_since(session: Session, clock: FixedClock) -> None:
    first = usecases.build(session)
    clock.advance(timedelta(minutes=5))
    again = usecases.build(session)
    assert (again.changed, again.commit) == (False, None)
    assert session.workspace.head() == first.commit
    assert set(usecases.members(session, "asia").column("since").to_pylist()) == {first.at}


@pytest.mark.usefixtures("three")
def test_only_changes_are_written_and_old_members_keep_their_date(session: Session, clock: FixedClock) -> None:
    first = usecases.build(session)
    clock.advance(timedelta(days=4))
    result = {b.name: (b.members, b.joined, b.left) for b in usecases.build(session).segments}
    assert result == {"asia": (6, 0, 0), "busy": (0, 0, 8), "best": (0, 0, 3)}
    assert set(usecases.members(session, "asia").column("since").to_pylist()) == {first.at}


@pytest.mark.usefixtures("three")
def test_building_one_builds_what_it_depends_on(session: Session) -> None:
    assert [b.name for b in usecases.build(session, ["best"]).segments] == ["asia", "best", "busy"]
    assert [b.name for b in usecases.build(session, ["asia"]).segments] == ["asia"]


@pytest.mark.usefixtures("three")
def test_members_of_a_segment_without_a_file_leave(session: Session, folder: Path) -> None:
    usecases.build(session)
    (folder / "segments" / "best.toml").unlink()
    result = usecases.build(session)
    assert [(b.name, b.left) for b in result.segments if b.left] == [("best", 3)]


@pytest.mark.usefixtures("three")
def test_a_dry_run_counts_and_writes_nothing(opened: Callable[..., Session]) -> None:
    session = opened(dry_run=True)
    before = session.workspace.head()
    result = usecases.build(session)
    assert result.changed
    assert (result.commit, session.workspace.head()) == (None, before)


@pytest.mark.usefixtures("three")
def test_size_counts_without_storing(session: Session, opened: Callable[..., Session]) -> None:
    assert usecases.size(session, "best").members == 3
    assert usecases.size(session, "best").stored == 0
    usecases.build(session)
    assert usecases.size(session, "best").stored == 3


@pytest.mark.usefixtures("three")
def test_listing_tells_members_or_that_it_was_never_built(session: Session) -> None:
    assert [(s.name, s.members) for s in usecases.list_segments(session)] == [
        ("asia", None),
        ("best", None),
        ("busy", None),
    ]
    usecases.build(session)
    assert [(s.name, s.members) for s in usecases.list_segments(session)] == [("asia", 6), ("best", 3), ("busy", 8)]


@pytest.mark.usefixtures("three")
def test_why_not_shows_each_term_and_the_smallest_change(session: Session) -> None:
    usecases.build(session)
    found = usecases.explain(session, "best", 4)
    assert (found.member, found.stored, found.held) == (False, False, 1)
    assert [(t.text, t.holds, t.actual, t.change) for t in found.terms] == [
        ("member_of('asia')", True, None, None),
        ("member_of('busy')", False, None, "membership of busy"),
        ("employees >= 60", False, 40, "employees 60 (20 more)"),
    ]
    unknown = usecases.explain(session, "best", 10)
    assert [t.holds for t in unknown.terms] == [True, True, None]


@pytest.mark.usefixtures("three")
def test_an_explanation_agrees_with_the_build_for_every_lead(session: Session) -> None:
    usecases.build(session)
    for name in ("asia", "busy", "best"):
        assert {n for n in range(1, 13) if usecases.explain(session, name, n).member} == stored(session, name)
        assert all(e.member == e.stored for e in (usecases.explain(session, name, n) for n in range(1, 13)))


@pytest.mark.usefixtures("three")
def test_applying_the_change_admits_the_lead(session: Session) -> None:
    assert usecases.explain(session, "best", 10).terms[2].change == "employees 60"
    with session.write("leads") as tx:
        tx.upsert("leads", "select * replace (60 as employees) from leads where lead_id = 10")
        tx.commit()
    assert usecases.explain(session, "best", 10).member


@pytest.mark.usefixtures("three")
def test_as_of_asks_what_was_known_and_when(
    session: Session, opened: Callable[..., Session], clock: FixedClock
) -> None:
    usecases.build(session)
    clock.advance(timedelta(days=30))
    assert usecases.size(session, "busy").members == 0
    then = opened(as_of="2026-11-21T10:00")
    assert usecases.size(then, "busy").members == 8
    assert usecases.explain(then, "busy", 12).member
    assert not usecases.explain(session, "busy", 12).member


@pytest.mark.usefixtures("three")
def test_diff_lists_who_joined_and_left(session: Session, clock: FixedClock) -> None:
    first = usecases.build(session).commit
    clock.advance(timedelta(days=30))
    second = usecases.build(session).commit
    assert first is not None
    assert second is not None
    rows = usecases.diff(session, "best", str(first), str(second)).to_pylist()
    assert [(r["lead_id"], r["change"]) for r in rows] == [(6, "left"), (8, "left"), (12, "left")]
    assert {r["why"] for r in rows} == {"no longer member_of('busy')"}
    joined = usecases.diff(session, "best", str(first - 1), str(first)).to_pylist()
    assert {(r["change"], r["why"].split(":")[0]) for r in joined} == {("joined", "no term changed")}


@pytest.mark.usefixtures("three")
def test_diff_says_what_turned_for_each(session: Session) -> None:
    first = usecases.build(session).commit
    with session.write("leads") as tx:
        tx.upsert("leads", "select * replace (70 as employees) from leads where lead_id = 10")
        tx.upsert("leads", "select * replace ('DE' as country, 10 as employees) from leads where lead_id = 8")
        tx.delete("leads", "select lead_id from leads where lead_id = 12")
        tx.commit()
    usecases.build(session, full=True)
    rows = {r["lead_id"]: (r["change"], r["why"]) for r in usecases.diff(session, "best", str(first), None).to_pylist()}
    assert rows == {
        8: ("left", "no longer member_of('asia'); no longer employees >= 60"),
        10: ("joined", "now employees >= 60"),
        12: ("left", "the lead is gone"),
    }


@pytest.mark.usefixtures("three")
def test_members_of_the_past_are_stored_or_computed(
    session: Session, clock: FixedClock, opened: Callable[..., Session]
) -> None:
    before = session.workspace.head()
    usecases.build(session)
    clock.advance(timedelta(days=30))
    usecases.build(session)
    assert stored(session, "best") == set()
    with opened(as_of=str(before)) as past:
        assert stored(past, "best") == set()
        found = usecases.computed_members(past, "best")
        assert set(found.column("lead_id").to_pylist()) == {6, 8, 12}
        assert found.column_names == usecases.members(past, "best").column_names


@pytest.mark.usefixtures("three")
def test_a_circle_and_an_unknown_segment_are_refused(session: Session, folder: Path) -> None:
    write(folder, "asia", "member_of('best')")
    with pytest.raises(ConditionError, match=r"segments/\w+\.toml: where: segments depend on each other"):
        usecases.build(session)
    assert "depend on each other" in usecases.check(session).problems[0]
    write(folder, "asia", "member_of('bst')")
    with pytest.raises(ConditionError, match=r'segments/asia.toml: where, position 11: unknown segment "bst"'):
        usecases.build(session)
    with pytest.raises(NotFound, match="no segment 'asiaa'"):
        usecases.size(session, "asiaa")
    with pytest.raises(NotFound, match="no lead 99"):
        usecases.explain(session, "busy", 99)


def test_check_names_every_mistake(session: Session, folder: Path, tmp_path: Path) -> None:
    assert usecases.check(session).problems == ()
    write(folder, "wrong", "contry = 'x'")
    (folder / "segments" / "broken.toml").write_text("schema = 1\nwher = 'x'\n", encoding="utf-8")
    problems = usecases.check(session).problems
    assert any("broken.toml: wher: unknown key" in p for p in problems)
    assert any(p.startswith('segments/wrong.toml: where, position 1: unknown field "contry"') for p in problems)
    with pytest.raises(ConfigError, match=r"NAME\.toml"):
        usecases.check(session, [tmp_path / "x.txt"])


def test_the_segments_of_the_preset_build(session: Session, folder: Path) -> None:
    built = usecases.build(session).segments
    assert {one.name for one in built} == {path.stem for path in (folder / "segments").glob("*.toml")}


def test_a_thousand_members_keep_their_identity(session: Session, folder: Path) -> None:
    many = list(range(100, 1100))
    with session.write("leads") as tx:
        tx.upsert("leads", pa.table({"lead_id": many, "country": ["JP"] * 1000}))
        tx.commit()
    write(folder, "japan", "country = 'JP'")
    usecases.build(session)
    assert stored(session, "japan") == set(many)
    assert {row["since"] for row in usecases.members(session, "japan").to_pylist()} == {datetime(2026, 11, 21, 9)}
