"""After a merge everything that was attached to either record is attached to the survivor, and old keys lead there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.identity.answers import MergeResult
from sfactl.identity.moving import attached_to
from sfactl.identity.usecases.links import links, problems_of, show_identity
from sfactl.identity.usecases.merge import merge
from sfactl.leads.usecases import import_files, show_lead
from sfactl.leads.usecases.touches import import_touches
from sfactl.schemas.references import ENTITIES
from sfactl.session import Session
from sfactl.workspace.undo import undo

from . import merge_world
from .merge_world import content, put, rows_of


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_world.build(tmp_path_factory.mktemp("merge") / "ws")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return merge_world.build(tmp_path_factory.mktemp("merge") / "ws", merge_world.FEW)


@pytest.fixture(scope="module")
def dry(few: Path) -> Iterator[Session]:
    """A session that writes nothing, so that many tests may share it."""
    with merge_world.world(few, dry_run=True) as session:
        yield session


@pytest.fixture
def small(few: Path, tmp_path: Path) -> Iterator[Session]:
    with merge_world.copied(few, tmp_path / "ws") as session:
        yield session


@pytest.fixture
def session(base: Path, tmp_path: Path) -> Iterator[Session]:
    with merge_world.copied(base, tmp_path / "ws") as session:
        yield session


def attached(session: Session, entity: str, numbers: set[int]) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of every dataset that name one of ``numbers``: the keys where the number is not part of them."""
    found = {}
    for kind in ("state", "event"):
        for one in attached_to(session.workspace.schemas, entity, kind=kind):
            if one.dataset.name == ENTITIES[entity][0]:
                continue
            keys = [k for k in one.dataset.key if all(r.column != k for r in one.references)]
            for reference in one.references:
                column = f'"{reference.column}"'
                by = f"\"{reference.by}\" = '{entity}' and " if reference.by else ""
                listed = ", ".join(map(str, numbers))
                sql = f"select {', '.join(keys) or '1'} from {one.dataset.name} where {by}{column} in ({listed}) order by all"
                found[f"{one.dataset.name}.{reference.column}"] = rows_of(session, sql)
    return {k: v for k, v in found.items() if v}


@pytest.mark.parametrize(("entity", "survivor", "merged"), [("lead", 3, [1, 2]), ("account", 20, [10])])
def test_what_is_attached_goes_along(session: Session, entity: str, survivor: int, merged: list[int]) -> None:
    before = attached(session, entity, {survivor, *merged})
    result = merge(session, entity, [*map(str, merged), str(survivor)], into=str(survivor))
    after = attached(session, entity, {survivor})
    assert attached(session, entity, set(merged)) == {}
    assert after.keys() >= before.keys()
    for name, rows in before.items():
        assert set(after[name]) >= set(rows), f"{name}: nothing may be missing"
        if name.split(".")[0] not in ("scores", "segment_members", "tags"):
            assert len(after[name]) >= len(rows), f"{name}: nor may a double be dropped"
    assert result.merged == tuple(merged)
    assert problems_of(session) == []
    if entity == "lead":
        won = "select l.source, sum(o.amount) from leads l join opportunities o using (lead_id) where category = 'won' group by 1"
        assert rows_of(session, won) == [("expo", 5)], "the win is the first source's"
    assert not [line for line in links(session).links if line.lost and line.entity == entity]


def test_the_survivor_takes_the_best_of_both(small: Session) -> None:
    merge(small, "lead", ["1", "2"])
    [row] = rows_of(small, "select lead_id, email, full_name, first_name, source, channel, owner, note, created_at, external_id, account_id, country from leads where lead_id < 3")  # fmt: skip
    assert row == (
        1, "ann@new.example", "Ann Lee", None, "expo", None, "kim", "met in Taipei\nasked for a price",
        merge_world.day(1), "X1", 10, "TW",
    )  # fmt: skip


def test_a_dry_run_says_field_by_field_and_writes_nothing(session: Session, base: Path, tmp_path: Path) -> None:
    before = content(session)
    with merge_world.world(session.folder, dry_run=True) as dry:
        result = merge(dry, "lead", ["1", "2"], into="2", picks={"full_name": "1"})
    assert content(session) == before
    told = {f.field: (f.value, f.record_id, f.rule) for f in result.fields}
    assert told["full_name"] == ("Ann Li", 1, "by hand")
    assert told["email"] == ("ann@new.example", 2, "newest")
    assert told["source"] == ("expo", 1, "oldest")
    assert told["budget"][1:] == (1, "the only value")
    counts = {(a.dataset, a.record_id): a.rows for a in result.attached}
    assert counts["scores", 1] == 2
    assert counts["touchpoints", 2] == 1
    assert any("account merge 10 20" in note for note in result.notes)


def rules(dry: Session, text: str) -> MergeResult:
    path = dry.folder / "identity.toml"
    path.write_text(f"schema = 1\n[survivorship.lead]\n{text}\n", encoding="utf-8")
    try:
        return merge(dry, "lead", ["1", "2"], into="2")
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ('full_name = "longest"', "full_name", "Ann Lee"),
        ('full_name = "oldest"', "first_name", "Ann"),
        ('email = "oldest"', "email", "ann@old.example"),
        ('email = "source:expo,web"', "email", "ann@old.example"),
        ('owner = "newest"', "owner", "lee"),
        ('note = "newest"', "note", "asked for a price"),
        ('created_at = "max"', "created_at", merge_world.day(2)),
        ('first_name = "survivor"', "first_name", "Ann"),
    ],
    ids=lambda v: str(v)[:24],
)
def test_rules_of_the_workspace_decide(dry: Session, text: str, field: str, value: Any) -> None:
    assert next(f.value for f in rules(dry, text).fields if f.field == field) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('emial = "newest"', "Did you mean 'email'"),
        ('email = "newst"', "Did you mean 'newest'"),
        ('email = "furthest"', "only the status"),
        ("email = 3", "email"),
    ],
)
def test_wrong_rules_name_file_and_key(dry: Session, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        rules(dry, text)
    assert "identity.toml" in caught.value.message


@pytest.mark.parametrize(
    ("refs", "error", "message"),
    [
        (["1", "lead:1"], UserError, "cannot be merged with itself"),
        (["1"], UserError, "at least two"),
        (["1", "99"], NotFound, "no lead 99"),
        (["1", "nobody@x.example"], NotFound, "nobody"),
    ],
)
def test_what_cannot_be_merged_is_named(dry: Session, refs: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        merge(dry, "lead", refs)


def test_old_numbers_and_keys_lead_to_the_survivor(small: Session) -> None:
    merge(small, "lead", ["1", "2"], into="2")
    with pytest.raises(UserError, match="merged into it already"):
        merge(small, "lead", ["1", "2"])
    merge(small, "lead", ["1", "3"], into="3")
    for ref in ("1", "lead:2", "ann@old.example", "ANN@new.example", "X1"):
        shown = show_lead(small, ref)
        assert (shown.lead_id, bool(shown.note)) == (3, ref != "ANN@new.example")
    assert show_lead(small, "1").note == "lead:1 was merged into lead:3"
    known = show_identity(small, "lead", "ann@first.example")
    assert known.numbers == (1, 2)
    assert {k.value for k in known.keys} >= {"ann@old.example", "ann@first.example", "X1", "X2"}


def test_imports_after_a_merge_make_nobody_new(session: Session, tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text(
        "id,email,name\nX1,ann@old.example,Ann Li\nX2,ann@new.example,Ann Lee\n,ann@first.example,Ann\n",
        encoding="utf-8",
    )
    merge(session, "lead", ["1", "2"], into="2")
    leads = rows_of(session, "select count(*) from leads")
    first = import_files(session, [tmp_path / "crm.csv"], source="crm")
    second = import_files(session, [tmp_path / "crm.csv"], source="crm")
    assert (first.new, second.new, second.updated) == (0, 0, 0)
    assert rows_of(session, "select count(*) from leads") == leads
    (tmp_path / "web.csv").write_text(
        "at,kind,lead_id,email\n2026-05-01,visit,1,\n2026-05-01,call,,ann@old.example\n", encoding="utf-8"
    )
    assert import_touches(session, [tmp_path / "web.csv"]).new == 2
    late = {"event_id": "late", "at": merge_world.day(30), "kind": "visit", "lead_id": 1}
    put(session, "touchpoints", late)
    sql = "select count(*) from touchpoints where lead_id = 2"
    assert rows_of(session, sql) == [(5,)], "two of before, two of the file, and one that came late with the old number"


def test_an_old_export_brings_back_nothing_that_a_merge_set_aside(small: Session, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    head = "id,name,company,budget,city,note\n"
    old = "X1,Ann Li,Acme,12345678901234.5678,,met in Taipei\nX2,Ann Lee,,,Taipei,asked for a price\n"
    merge(small, "lead", ["1", "2"], into="2")
    sql = "select * exclude (updated_at, first_name, last_name) from leads where lead_id = 2"
    before = rows_of(small, sql)
    file.write_text(head + old, encoding="utf-8")
    assert import_files(small, [file], source="crm").new == 0
    assert rows_of(small, sql) == before
    file.write_text(head + "X1,Ann Chen,Acme,12345678901234.5678,Tainan,\n", encoding="utf-8")
    assert import_files(small, [file], source="crm").updated == 1
    assert rows_of(small, "select full_name, city from leads where lead_id = 2") == [("Ann Chen", "Tainan")]


def test_who_had_unsubscribed_stays_so(session: Session) -> None:
    merge(session, "lead", ["1", "2"], into="2")
    found = rows_of(session, "select value, reason from suppressions order by 1")
    assert found == [("ann@first.example", "bounce"), ("ann@old.example", "unsubscribe")]


def test_undoing_the_commit_agrees_with_unmerging(small: Session) -> None:
    before = content(small)
    result = merge(small, "lead", ["1", "2", "3"], into="3")
    assert result.commit is not None
    from sfactl.workspace import Author

    author = Author(actor="mei", command="undo", run_id="r", at=small.now())
    undo(small.workspace, author, result.commit)
    assert content(small) == before
    assert rows_of(small, "select * from record_aliases") == rows_of(small, "select * from merges") == []
