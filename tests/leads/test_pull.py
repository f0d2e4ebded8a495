"""Pulling: rows and cursor land together, page by page; a bad source stops nobody else."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import AuthError, NotFound, PluginError, UserError
from sfactl.api.records import CheckReport, Page
from sfactl.host import Host
from sfactl.leads import usecases
from sfactl.workspace.locks import locked


class Shop:
    """A source of three pages that can be told to fail before one."""

    def __init__(self, fail_at: int | None = None, error: Exception | None = None) -> None:
        self.fail_at = fail_at
        self.error = error

    def check(self) -> CheckReport:
        return CheckReport(facts={"pages": "3"})

    def pull(self, cursor: Any) -> Iterator[Page]:
        for page in range((cursor or {}).get("page", 0), 3):
            if page == self.fail_at and self.error:
                raise self.error
            rows = {"id": [f"{page}-{i}" for i in range(2)], "email": [f"p{page}-{i}@example.tw" for i in range(2)]}
            yield Page(table=pa.table(rows), cursor={"page": page + 1})


@pytest.fixture
def shops(desk, monkeypatch: pytest.MonkeyPatch) -> dict[str, Shop]:
    """Sources of the workspace by name; each is one of the shops put in."""
    made: dict[str, Shop] = {}

    def make(self: Host, kind: str, name: str, settings: Any, *, where: str) -> Shop:
        return made[name]

    monkeypatch.setattr(Host, "make", make)
    return made


def pull(desk, *names: str, **options: Any) -> Any:
    with desk.session(dry_run=options.pop("dry_run", False)) as session:
        return usecases.pull(session, names, **options)


def test_pages_and_cursor(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop"}}
    result = pull(desk, "web")
    assert (result.rows, result.new, result.sources[0].pages) == (6, 6, 3)
    assert desk.leads("source", "id_namespace")[0] == ("web", "web")
    assert pull(desk, "web").rows == 0
    with desk.session() as session:
        assert session.workspace.cursor("source:web") == {"page": 3}
        assert usecases.list_sources(session)[0].cursor == '{"page": 3}'


def test_a_bad_source_keeps_its_pages_and_stops_nobody(desk, shops) -> None:
    shops["broken"] = Shop(fail_at=1, error=AuthError("the shop refused the token (401)", hint="Set the token."))
    shops["shop"] = Shop()
    desk.sources = {"a": {"use": "broken"}, "b": {"use": "shop"}}
    result = pull(desk, every=True)
    assert [(s.source, s.rows, s.code) for s in result.sources] == [("a", 2, "auth"), ("b", 6, None)]
    assert result.failed == 1
    assert desk.rows("select count(*) from leads") == [(8,)] or desk.rows("select count(*) from leads") == [(6,)]
    shops["broken"].fail_at = None
    assert pull(desk, "a").rows == 4


def test_what_a_source_throws_is_told_as_its_fault(desk, shops) -> None:
    shops["broken"] = Shop(fail_at=0, error=ValueError("boom"))
    desk.sources = {"a": {"use": "broken"}}
    source = pull(desk, "a").sources[0]
    assert (source.code, source.problem) == (PluginError.code, "source a: ValueError: boom")


def test_dry_run_moves_no_cursor(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop"}}
    assert pull(desk, "web", dry_run=True).new == 6
    with desk.session() as session:
        assert session.workspace.cursor("source:web") is None
    assert desk.rows("select count(*) from leads") == [(0,)]


def test_a_mapping_in_the_source(desk, shops) -> None:
    shops["shop"] = Shop()
    mapping = {
        "columns": {"external_id": "id", "email": "email"},
        "constants": {"source": "fair", "direction": "inbound"},
    }
    desk.sources = {"web": {"use": "shop", "mapping": mapping}}
    pull(desk, "web", pages=1)
    assert desk.leads("source", "direction", "id_namespace")[0] == ("fair", "inbound", "web")


def test_unknown_source(desk, shops) -> None:
    with pytest.raises(NotFound, match="there is no source 'wbe'"):
        pull(desk, "wbe")


def test_check(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop"}}
    with desk.session() as session:
        (found,) = usecases.check_sources(session)
    assert found.ok
    assert found.facts == {"pages": "3"}


def test_folder_of_files(desk) -> None:
    inbox = desk.folder / "inbox"
    inbox.mkdir()
    (inbox / "a.csv").write_text("name;email\nMing;a@example.tw\nMei;b@example.tw\nJo;c@example.tw\n", encoding="utf-8")
    (inbox / "b.jsonl").write_text('{"name": "Ai", "email": "d@example.tw"}\n', encoding="utf-8")
    (inbox / "notes.pdf").write_bytes(b"%PDF")
    desk.sources = {"inbox": {"use": "file", "path": "inbox", "page_rows": 2}}
    result = pull(desk, "inbox")
    assert (result.new, result.sources[0].pages, result.failed) == (4, 3, 0)
    assert pull(desk, "inbox").rows == 0
    (inbox / "a.csv").touch()
    assert pull(desk, "inbox").rows == 0, "a file that only moved in time is not read again"
    (inbox / "a.csv").write_text("name;email\nMing;a@example.tw\nNew;e@example.tw\nOdd\n", encoding="utf-8")
    result = pull(desk, "inbox")
    assert (result.rows, result.new, result.unchanged, result.rejected) == (3, 1, 1, 1)


def test_a_pull_that_stopped_inside_a_file_goes_on_there(desk) -> None:
    lines = "".join(f"N{i};n{i}@example.tw\n" for i in range(5))
    (desk.folder / "all.csv").write_text("name;email\n" + lines, encoding="utf-8")
    desk.sources = {"all": {"use": "file", "path": "all.csv", "page_rows": 2}}
    assert pull(desk, "all", pages=1).new == 2
    assert pull(desk, "all", pages=1).new == 2
    assert pull(desk, "all").rows == 1
    assert desk.rows("select count(*), count(distinct email) from leads") == [(5, 5)]


class Forever(Shop):
    """Sends the same page again and again; its cursor stands still."""

    def pull(self, cursor: Any) -> Iterator[Page]:
        while True:
            yield Page(table=pa.table({"id": ["1"], "email": ["a@example.tw"]}), cursor={"page": 1})


class Sparse(Shop):
    """Leaves out what is empty."""

    def pull(self, cursor: Any) -> Iterator[Page]:
        yield Page(table=pa.table({"id": ["1"], "mail": ["a@example.tw"], "tel": ["0912345678"]}), cursor={"page": 1})
        yield Page(table=pa.table({"id": ["2"], "mail": ["b@example.tw"]}), cursor={"page": 2})


class Dated(Shop):
    """Can begin at a time."""

    def cursor_at(self, at: datetime, cursor: Any) -> Any:
        self.begun = at
        return {"page": 2}


def test_the_same_page_for_ever_is_stopped(desk, shops) -> None:
    shops["loop"] = Forever()
    desk.sources = {"a": {"use": "loop"}}
    (source,) = pull(desk, "a").sources
    assert (source.rows, source.code) == (1, "data")
    assert "same page again" in source.problem


def test_limits_stop_and_the_next_pull_goes_on(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop", "max_pages": 1}}
    (first,) = pull(desk, "web").sources
    assert (first.rows, first.problem, first.stopped) == (2, None, "its limit of 1 page")
    with desk.session() as session:
        shops["shop"].pull = _ticking(session.clock, shops["shop"].pull)  # type: ignore[method-assign]
        (second,) = usecases.pull(session, ["web"], pages=9, minutes=3).sources
    assert (second.rows, second.stopped) == (2, "its limit of 3 minutes")
    assert pull(desk, "web", pages=9).rows == 2
    assert desk.rows("select count(*) from leads") == [(6,)]


def _ticking(clock: Any, pages: Any) -> Any:
    def pull(cursor: Any) -> Iterator[Page]:
        for page in pages(cursor):
            clock.advance(timedelta(minutes=5))
            yield page

    return pull


def test_a_limit_that_is_none_is_told(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop", "max_pages": "many"}}
    assert pull(desk, "web").sources[0].problem == "sources/web.toml: max_pages: 'many' is not a number from 0"


def test_two_pulls_of_one_source_do_not_meet(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop"}, "other": {"use": "shop"}}
    with desk.session() as session, locked(session.workspace.private / "locks", ["pull-web"], wait_s=0):
        result = pull(desk, every=True)
    assert {s.source: (s.code, s.rows) for s in result.sources} == {"web": ("locked", 0), "other": (None, 6)}


def test_from_a_time_on(desk, shops) -> None:
    shops["dated"], shops["shop"] = Dated(), Shop()
    desk.sources = {"a": {"use": "dated"}, "b": {"use": "shop"}}
    desk.zone = "Asia/Taipei"
    result = pull(desk, "a", "b", since="2026-11-01")
    assert [(s.rows, s.code) for s in result.sources] == [(2, None), (0, "input")]
    assert shops["dated"].begun == datetime(2026, 10, 31, 16)


def test_what_a_page_leaves_out_is_blank(desk, shops) -> None:
    shops["sparse"] = Sparse()
    columns = {"external_id": "id", "email": "mail", "phone": "tel"}
    desk.sources = {"a": {"use": "sparse", "mapping": {"columns": columns}}}
    (source,) = pull(desk, "a").sources
    assert (source.new, source.problem, source.absent) == (2, None, ("tel",))


def test_reset_forgets_and_undo_brings_back(desk, shops) -> None:
    shops["shop"] = Shop()
    desk.sources = {"web": {"use": "shop"}}
    pull(desk, "web")
    with desk.session(dry_run=True) as session:
        usecases.reset_source(session, "web")
    assert pull(desk, "web").rows == 0
    with desk.session() as session:
        assert usecases.reset_source(session, "web").commit is not None
        assert usecases.reset_source(session, "web").commit is None
        detail = usecases.show_source(session, "web")
    assert (detail.cursor, [p.rows for p in detail.pulls]) == (None, [2, 2, 2])
    assert (pull(desk, "web").unchanged, desk.rows("select count(*) from leads")) == (6, [(6,)])
    with desk.session() as session:
        assert usecases.list_sources(session)[0].pulled == "2026-11-21 09:00"
        with pytest.raises(NotFound):
            usecases.reset_source(session, "nowhere")


def test_a_new_source_has_every_setting(desk) -> None:
    with desk.session() as session:
        path = session.folder / usecases.new_source(session, "inbox", use="file").file
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        assert said == {"schema": 1, "use": "file", "path": ""}
        bare = [line.removeprefix("# ") for line in path.read_text(encoding="utf-8").splitlines() if " = " in line]
        assert {"page_rows = 50000", 'encoding = ""', "names = []", "max_pages = 0"} <= set(bare)
        for name, use, error in (("inbox", "file", UserError), ("a/b", "file", UserError), ("new", "fiel", NotFound)):
            with pytest.raises(error):
                usecases.new_source(session, name, use=use)
