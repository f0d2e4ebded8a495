"""An unmerge gives back both records and every row that moved, exactly; what changed since stays and is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.identity.usecases.merge import merge
from sfactl.identity.usecases.unmerge import unmerge
from sfactl.session import Session

from . import merge_world
from .merge_world import content, put, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with merge_world.world(tmp_path) as session:
        merge_world.cast(session)
        yield session


def test_an_unmerge_is_exact(session: Session) -> None:
    before = content(session)
    done = merge(session, "lead", ["1", "2"], into="2")
    assert content(session) != before
    back = unmerge(session, "lead", "lead:1")
    assert content(session) == before
    assert (back.merge_id, back.record_id, back.survivor_id) == (done.merge_ids[0], 1, 2)
    assert (back.kept, back.stayed) == ((), {})
    with pytest.raises(UserError, match="was undone on"):
        unmerge(session, "lead", str(done.merge_ids[0]))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_merges_can_be_undone_in_any_order(session: Session, order: tuple[int, ...]) -> None:
    before = content(session)
    ids = [
        *merge(session, "lead", ["1", "2"], into="2").merge_ids,
        *merge(session, "lead", ["2", "3"], into="3").merge_ids,
        *merge(session, "lead", ["4", "lead:1"], into="2").merge_ids,
    ]
    assert rows_of(session, "select lead_id from leads") == [(3,)]
    for place in order:
        unmerge(session, "lead", str(ids[place]))
    assert content(session) == before
    assert rows_of(session, "select * from record_aliases") == []


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_group_can_be_taken_apart_in_any_order(session: Session, order: tuple[int, ...]) -> None:
    before = content(session)
    ids = merge(session, "lead", ["1", "2", "3", "4"], into="3").merge_ids
    for place in order:
        unmerge(session, "lead", str(ids[place]))
    assert content(session) == before


@pytest.mark.parametrize("entity, one, other", [("account", "10", "20"), ("contact", "100", "200")])
def test_accounts_and_contacts_too(session: Session, entity: str, one: str, other: str) -> None:
    before = content(session)
    merge(session, entity, [one, other])
    merge(session, "lead", ["1", "2"], into="2")
    unmerge(session, entity, "1")
    unmerge(session, "lead", "lead:1")
    assert content(session) == before


def test_what_changed_since_stays_with_the_survivor_and_is_told(session: Session) -> None:
    merge(session, "lead", ["1", "2"], into="2")
    with session.write("leads") as tx:
        tx.upsert("leads", "select * replace ('Acme Taipei' as company, 'sam' as owner) from leads where lead_id = 2")
        tx.commit()
    put(session, "tasks", {"task_id": "t1", "lead_id": 4}, {"task_id": "t9", "lead_id": 2})
    back = unmerge(session, "lead", "1")
    assert [(c.field, c.value, c.before) for c in back.kept] == [("company", "Acme Taipei", None)]
    assert back.stayed == {"tasks": 1}, "somebody gave the task to another lead meanwhile"
    assert rows_of(session, "select lead_id, owner, company from leads where lead_id < 3 order by 1") == [
        (1, "kim", "Acme"), (2, "sam", "Acme Taipei")
    ]  # fmt: skip
    assert rows_of(session, "select task_id, lead_id from tasks order by 1") == [
        ("t1", 4),
        ("t2", 2),
        ("t3", 3),
        ("t9", 2),
    ]


def test_unknown_merges_are_named(session: Session) -> None:
    with pytest.raises(NotFound, match="no merge '77'"):
        unmerge(session, "lead", "77")
    with pytest.raises(NotFound, match="never merged"):
        unmerge(session, "lead", "lead:4")
    merge(session, "lead", ["1", "2", "3"], into="3")
    with pytest.raises(UserError, match="2 merges"):
        unmerge(session, "lead", "lead:3")
