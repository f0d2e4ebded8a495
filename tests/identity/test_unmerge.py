"""An unmerge gives back both records and every row that moved, exactly; what changed since stays and is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.session import Session

from . import merge_world
from .merge_world import content, put, rows_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_world.build(tmp_path_factory.mktemp("merge") / "whole")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_world.build(tmp_path_factory.mktemp("merge") / "few", merge_world.FEW)


@pytest.fixture
def session(whole: Path, tmp_path: Path) -> Iterator[Session]:
    with merge_world.copied(whole, tmp_path / "ws") as session:
        yield session


@pytest.fixture
def small(few: Path, tmp_path: Path) -> Iterator[Session]:
    with merge_world.copied(few, tmp_path / "ws") as session:
        yield session


def test_an_unmerge_is_exact(session: Session) -> None:
    before = content(session)
    done = merge(session, "lead", ["1", "2"], into="2")
    back = unmerge(session, "lead", "lead:1")
    assert content(session) == before
    assert (back.merge_id, back.record_id, back.survivor_id) == (done.merge_ids[0], 1, 2)
    assert (back.kept, back.stayed) == ((), {})
    with pytest.raises(UserError, match="was undone on"):
        unmerge(session, "lead", str(done.merge_ids[0]))


def test_a_row_that_was_merged_again_goes_back_where_it_was(small: Session) -> None:
    """What a later merge noted of a row is forgotten once the row has left with an earlier one."""
    put(small, "tasks", {"task_id": "mine", "lead_id": 2})
    before = content(small)
    first = merge(small, "lead", ["1", "2"], into="1").merge_ids[0]
    second = merge(small, "lead", ["1", "3"], into="3").merge_ids[0]
    unmerge(small, "lead", str(first))
    assert rows_of(small, "select lead_id from tasks where task_id = 'mine'") == [(2,)]
    third = merge(small, "lead", ["2", "3"], into="3").merge_ids[0]
    unmerge(small, "lead", str(second))
    assert rows_of(small, "select lead_id from tasks where task_id = 'mine'") == [(3,)]
    unmerge(small, "lead", str(third))
    assert content(small) == before


def test_a_row_that_somebody_gave_away_stays_there(small: Session) -> None:
    put(small, "tasks", {"task_id": "mine", "lead_id": 2})
    first = merge(small, "lead", ["1", "2"], into="1").merge_ids[0]
    put(small, "tasks", {"task_id": "mine", "lead_id": 4})
    second = merge(small, "lead", ["4", "1"], into="1").merge_ids[0]
    unmerge(small, "lead", str(first))
    assert rows_of(small, "select lead_id from tasks where task_id = 'mine'") == [(1,)]
    unmerge(small, "lead", str(second))
    assert rows_of(small, "select lead_id from tasks where task_id = 'mine'") == [(4,)]


@pytest.mark.parametrize("order", [(0, 1, 2)], ids=str)
def test_merges_can_be_undone_in_any_order(small: Session, order: tuple[int, ...]) -> None:
    before = content(small)
    ids = [
        *merge(small, "lead", ["1", "2"], into="2").merge_ids,
        *merge(small, "lead", ["2", "3"], into="3").merge_ids,
        *merge(small, "lead", ["4", "lead:1"], into="2").merge_ids,
    ]
    assert rows_of(small, "select lead_id from leads") == [(3,)]
    for place in order:
        unmerge(small, "lead", str(ids[place]))
    assert content(small) == before
    assert rows_of(small, "select * from record_aliases") == []


@pytest.mark.parametrize("order", [(1, 0, 2)], ids=str)
def test_a_group_can_be_taken_apart_in_any_order(small: Session, order: tuple[int, ...]) -> None:
    before = content(small)
    ids = merge(small, "lead", ["1", "2", "3", "4"], into="3").merge_ids
    for place in order:
        unmerge(small, "lead", str(ids[place]))
    assert content(small) == before


def test_accounts_and_leads_one_in_the_other(tmp_path: Path) -> None:
    folder = merge_world.build(tmp_path / "ws", (*merge_world.FEW, "accounts", "contacts"))
    with merge_world.world(folder) as session:
        before = content(session)
        merge(session, "account", ["10", "20"])
        merge(session, "lead", ["1", "2"], into="2")
        unmerge(session, "account", "1")
        unmerge(session, "lead", "lead:1")
        assert content(session) == before


def test_what_changed_since_stays_with_the_survivor_and_is_told(small: Session) -> None:
    merge(small, "lead", ["1", "2"], into="2")
    with small.write("leads") as tx:
        tx.upsert("leads", "select * replace ('Acme Taipei' as company, 'sam' as owner) from leads where lead_id = 2")
        tx.commit()
    put(small, "tasks", {"task_id": "t1", "lead_id": 4}, {"task_id": "t9", "lead_id": 2})
    back = unmerge(small, "lead", "1")
    assert [(c.field, c.value, c.before) for c in back.kept] == [("company", "Acme Taipei", None)]
    assert back.stayed == {"tasks": 1}, "somebody gave the task to another lead meanwhile"
    assert rows_of(small, "select lead_id, owner, company from leads where lead_id < 3 order by 1") == [
        (1, "kim", "Acme"), (2, "sam", "Acme Taipei")
    ]  # fmt: skip
    assert rows_of(small, "select task_id, lead_id from tasks order by 1") == [
        ("t1", 4),
        ("t2", 2),
        ("t3", 3),
        ("t9", 2),
    ]


def test_unknown_merges_are_named(small: Session) -> None:
    with pytest.raises(NotFound, match="no merge '77'"):
        unmerge(small, "lead", "77")
    with pytest.raises(NotFound, match="never merged"):
        unmerge(small, "lead", "lead:4")
    merge(small, "lead", ["1", "2", "3"], into="3")
    with pytest.raises(UserError, match="2 merges"):
        unmerge(small, "lead", "lead:3")
