"""A plan of duplicates is executed exactly, once, or not at all; what people decide about doubts is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import Conflict, DataError, NotFound, UserError
from sfactl.cli.main import main
from sfactl.identity.usecases.apply import apply
from sfactl.identity.usecases.records import list_merges
from sfactl.identity.usecases.review import decide, list_reviews, read_sheet
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.session import Session

from . import merge_world
from .merge_world import content, put, rows_of

PAIRS = (
    {"a": 1, "b": 2, "decision": "merge", "probability": 0.99, "cluster_id": 1},
    {"a": 2, "b": 3, "decision": "merge", "probability": 0.95, "cluster_id": 1},
    {"a": 1, "b": 4, "decision": "review", "probability": 0.6},
    {"a": 3, "b": 4, "decision": "review", "probability": 0.8},
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = merge_world.build(tmp_path_factory.mktemp("plan") / "ws", merge_world.FEW)
    with merge_world.world(folder) as session:
        seq = session.workspace.head()
        plan = {"plan_id": "abc123", "entity": "lead", "made_at": merge_world.NOW, "seq": seq, "reviews": 2}
        put(session, "dedupe_plans", plan)
        put(session, "dedupe_pairs", *({"plan_id": "abc123", "entity": "lead", "weight": 1.0, **p} for p in PAIRS))
    return folder


@pytest.fixture
def session(base: Path, tmp_path: Path) -> Iterator[Session]:
    with merge_world.copied(base, tmp_path / "ws") as session:
        yield session


def test_a_plan_is_executed_once(session: Session) -> None:
    before = content(session)
    result = apply(session, "abc")
    assert (result.merges, result.clusters, result.nothing) == (2, 1, False)
    assert rows_of(session, "select lead_id from leads order by 1") == [(1,), (4,)], "the fullest converted one stays"
    again = apply(session, "abc123")
    assert (again.nothing, again.commit, again.applied_at) == (True, None, merge_world.NOW)
    listed = list_merges(session, "lead", plan="abc")
    assert [(m.merged_id, m.state) for m in listed] == [(3, "merged"), (2, "merged")]
    for line in reversed(listed):
        unmerge(session, "lead", str(line.merge_id))
    assert content(session) == before


def change(session: Session) -> None:
    put(session, "leads", {"lead_id": 3, "status": "mql", "email": "somebody@else.example"})


def gone(session: Session) -> None:
    with session.write("leads") as tx:
        tx.delete("leads", "select 3 as lead_id")
        tx.commit()


def part(session: Session) -> None:
    decide(session, "lead", "3", "1", "different")


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (change, "lead:3 was changed"),
        (gone, "lead:3 is gone"),
        (part, "lead:1 and lead:3 were decided to be different"),
    ],
)
def test_a_plan_whose_records_moved_is_refused_and_they_are_named(session: Session, move: Any, message: str) -> None:
    move(session)
    before = content(session)
    with pytest.raises(Conflict, match=message):
        apply(session, "abc123")
    assert content(session) == before


def test_work_on_a_record_does_not_spoil_a_plan(session: Session) -> None:
    with session.write("leads") as tx:
        tx.upsert("leads", "select * replace ('sam' as owner, 'sql' as status) from leads where lead_id = 3")
        tx.commit()
    assert apply(session, "abc123").merges == 2


def test_a_dry_run_and_an_unknown_plan(session: Session) -> None:
    before = session.workspace.head()
    with merge_world.world(session.folder, dry_run=True) as dry:
        assert (apply(dry, "abc123").merges, apply(dry, "abc123").commit) == (2, None)
    assert session.workspace.head() == before
    with pytest.raises(NotFound, match="no plan of duplicates 'zz'"):
        apply(session, "zz")


def test_doubts_are_listed_decided_and_carried_over(session: Session) -> None:
    assert [(p.a, p.b) for p in list_reviews(session)] == [(3, 4), (1, 4)]
    assert decide(session, "lead", "4", "3", "different", reason="another person").changed
    assert not decide(session, "lead", "3", "4", "different").changed
    assert [(p.a, p.b) for p in list_reviews(session, plan="abc")] == [(1, 4)]
    with pytest.raises(UserError, match="one record already"):
        decide(session, "lead", "3", "lead:3", "same")
    before = rows_of(session, "select * from match_decisions")
    apply(session, "abc123")
    held = "select a, b, decision from match_decisions order by 1"
    assert (1, 4, "different") in rows_of(session, held), "what holds for a merged record holds for the survivor"
    for line in list_merges(session, "lead"):
        unmerge(session, "lead", str(line.merge_id))
    assert rows_of(session, "select * from match_decisions") == before


def test_doubts_go_through_a_spreadsheet(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    folder = session.folder
    put(session, "leads", {"lead_id": 4, "full_name": "=HYPERLINK(1)", "email": "bob@x.example"})
    path = folder / "doubts.csv"
    (folder / "sfactl.toml").write_text("schema = 1\n", encoding="utf-8")
    assert main(["-w", str(folder), "identity", "review", "export", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert "'=HYPERLINK(1)" in text
    head, first, second = text.splitlines()
    at = head.split(",").index("decision")
    rows = [line.split(",") for line in (first, second)]
    rows[0][at], rows[1][at] = "Same", "perhaps"
    path.write_text("\n".join([head, *(",".join(r) for r in rows)]) + "\n", encoding="utf-8")
    read = read_sheet(session, path)
    assert (read.changed, read.unchanged, read.blank) == (1, 0, 0)
    assert [(r.row, "neither same nor different" in r.reason) for r in read.refused] == [(3, True)]
    again = read_sheet(session, path)
    assert (again.changed, again.unchanged, again.commit) == (0, 1, None)


@pytest.mark.parametrize(
    ("text", "error"),
    [("a,b\n1,2\n", "no column 'entity'"), ("\x00\xff", "x.csv")],
    ids=["columns", "garbage"],
)
def test_a_sheet_that_is_none_is_refused(session: Session, text: str, error: str) -> None:
    path = session.folder / "x.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=error):
        read_sheet(session, path)


def test_numbers_that_lead_nowhere_are_told(session: Session) -> None:
    from sfactl.identity.usecases.links import links, lost_rows, problems_of

    put(session, "tasks", {"task_id": "lost", "lead_id": 77}, {"task_id": "nobody"})
    line = next(x for x in links(session).links if (x.dataset, x.field) == ("tasks", "lead_id"))
    assert (line.rows, line.resolved, line.nobody, line.lost) == (5, 3, 1, 1)
    assert lost_rows(session, "tasks").column("task_id").to_pylist() == ["lost"]
    bad = {"entity": "lead", "id": 3, "into_id": 99, "root_id": 99, "merge_id": 5}
    put(session, "record_aliases", bad)
    assert len(problems_of(session)) == 3
