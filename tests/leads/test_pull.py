"""Pulling: rows and cursor land together, page by page; a bad source stops nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import AuthError, NotFound, PluginError
from sfactl.api.records import CheckReport, Page
from sfactl.host import Host
from sfactl.leads import usecases


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
