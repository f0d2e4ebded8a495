"""The HTTP source against a server on loopback that pages in every style and misbehaves in every way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import pytest

from sfactl.api.errors import AuthError, ConfigError, DataError, PluginError, RateLimited, SfactlError
from sfactl.testkit import JsonServer, LeadSourceSuite, ServerFault
from sfactl.testkit.json_server import PageStyle

RECORDS = [
    {
        "id": n,
        "email": f"lead{n}@example.com",
        "updated": f"2026-01-{n:02d}T00:00:00Z",
        "company": {"name": f"公司 {n}"},
    }
    for n in range(1, 26)
]


class HttpSource(LeadSourceSuite):
    """The suite with a server for it; each style of paging is a class below."""

    plugin = "sfactl_source_http"
    offer = "http"
    rows = 25
    style: ClassVar[PageStyle] = "next-link"
    paging: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def server(self) -> Iterator[JsonServer]:
        with JsonServer(records=RECORDS, page_size=10, style=self.style) as server:
            yield server

    @pytest.fixture
    def settings(self, server: JsonServer) -> Mapping[str, Any]:
        return {"url": f"{server.url}/records", "records": "data.items", "pages": self.style, **self.paging}


class TestNextLink(HttpSource):
    pass


class TestCursor(HttpSource):
    style = "cursor"
    paging: ClassVar = {"page_param": "cursor"}


class TestPageNumber(HttpSource):
    style = "page"


class TestOffset(HttpSource):
    style = "offset"
    paging: ClassVar = {"page_param": "offset"}


class TestSince(HttpSource):
    """With a moment to ask from, the second round asks only for what changed."""

    paging: ClassVar = {"since_param": "since", "since_field": "updated"}

    def test_the_second_round_asks_for_changes_only(self, make: Any, server: JsonServer) -> None:
        first = list(make().pull(None))
        second = list(make().pull(first[-1].cursor))
        assert server.requests[-1].params["since"] == "2026-01-25T00:00:00Z"
        assert [page.table.num_rows for page in second] == [1]

    def test_overlap_asks_from_earlier(self, make: Any, server: JsonServer) -> None:
        first = list(make(overlap_s=86400).pull(None))
        list(make(overlap_s=86400).pull(first[-1].cursor))
        assert server.requests[-1].params["since"] == "2026-01-24T00:00:00Z"

    def test_a_slip_into_the_future_does_not_move_the_round(self, make: Any, server: JsonServer) -> None:
        server.records = [*RECORDS, {"id": 99, "updated": "2199-01-01T00:00:00Z"}]
        pages = list(make().pull(None))
        assert sum(p.table.num_rows for p in pages) == 26
        assert pages[-1].cursor["since"] == "2026-01-25T00:00:00Z"

    def test_times_of_different_zones_are_compared_as_times(self, make: Any, server: JsonServer) -> None:
        times = ("2026-01-02T01:00:00+08:00", "2026-01-01T23:00:00Z")
        server.records = [{"id": n, "updated": at} for n, at in enumerate(times)]
        assert list(make().pull(None))[-1].cursor["since"] == times[1]

    def test_a_round_may_begin_at_a_time(self, make: Any, server: JsonServer) -> None:
        source = make()
        last = list(source.pull(None))[-1].cursor
        again = list(source.pull(source.cursor_at(datetime(2026, 1, 20), last)))
        assert sum(p.table.num_rows for p in again) == 6
        with pytest.raises(SfactlError, match="without since_param"):
            make(since_param="", since_field="").cursor_at(datetime(2026, 1, 20), None)


class TestTrouble(HttpSource):
    """What goes wrong is said, and what was pulled before stays."""

    def test_nested_values_become_columns(self, make: Any) -> None:
        page = next(iter(make().pull(None)))
        assert page.table.column("company.name")[0].as_py() == "公司 1"

    def test_the_same_page_forever_is_an_error(self, make: Any, server: JsonServer) -> None:
        server.fail_always(ServerFault(kind="same"))
        pulled = []
        with pytest.raises(DataError, match=r"leads back to a page|same page twice"):
            pulled.extend(make().pull(None))
        assert len(server.requests) <= 3

    def test_the_same_page_forever_by_number(self, make: Any, server: JsonServer) -> None:
        server.fail_always(ServerFault(kind="same"))
        with pytest.raises(DataError, match="same page twice in a row"):
            list(make(pages="page", page_param="p").pull(None))

    @pytest.mark.parametrize("kind", ["garbage", "half", "status"])
    def test_pages_before_the_fault_stay(self, make: Any, server: JsonServer, kind: Any) -> None:
        server.fail(None)
        server.fail_always(ServerFault(kind=kind, status=500))
        pages = []
        with pytest.raises(SfactlError):
            for page in make().pull(None):
                pages.append(page)
        assert [page.table.num_rows for page in pages] == [10]
        server.fail_always(None)
        server.faults.clear()
        rest = list(make().pull(pages[-1].cursor))
        assert sum(page.table.num_rows for page in rest) == 15

    def test_a_half_page_is_asked_for_again(self, make: Any, server: JsonServer) -> None:
        server.fail(ServerFault(kind="half"))
        assert sum(page.table.num_rows for page in make().pull(None)) == 25

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_busy_server_is_asked_again_when_it_says(self, make: Any, server: JsonServer, status: int) -> None:
        server.fail(ServerFault(status=status, retry_after="0"))
        assert sum(page.table.num_rows for page in make().pull(None)) == 25

    def test_a_long_wait_is_told_and_not_sat_out(self, make: Any, server: JsonServer) -> None:
        server.fail(ServerFault(status=429, retry_after="86400"))
        with pytest.raises(RateLimited) as caught:
            list(make().pull(None))
        assert caught.value.after_s == 86400
        assert len(server.requests) == 1

    def test_a_token_is_sent_and_a_wrong_one_told(
        self, make: Any, server: JsonServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.token = "opensesame"
        monkeypatch.setenv("TEST_TOKEN", "opensesame")
        assert make(auth_secret="env:TEST_TOKEN").check().problems == ()
        monkeypatch.setenv("TEST_TOKEN", "wrong")
        with pytest.raises(AuthError) as caught:
            list(make(auth_secret="env:TEST_TOKEN").pull(None))
        assert "wrong" not in str(caught.value)

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            (ServerFault(kind="gzip"), "cannot be unpacked"),
            (ServerFault(kind="charset"), "another character set"),
            (ServerFault(kind="garbage"), "not JSON but text/html"),
            (ServerFault(kind="redirect", location="http://elsewhere.example/x"), r"elsewhere\.example"),
            (ServerFault(status=400), r"\(first page\): the server answered 400"),
        ],
        ids=["gzip", "charset", "html", "redirect", "bad-request"],
    )
    def test_what_is_wrong_with_an_answer_is_said(self, make: Any, server: JsonServer, fault: Any, says: str) -> None:
        server.fail_always(fault)
        with pytest.raises(SfactlError, match=says):
            list(make().pull(None))

    def test_an_answer_that_is_too_large_is_not_read(
        self, make: Any, server: JsonServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sfactl.host.http.LARGEST_ANSWER", 100)
        with pytest.raises(SfactlError, match="larger than"):
            list(make().pull(None))

    def test_another_host_is_not_followed(self, make: Any) -> None:
        with pytest.raises(PluginError, match=r"elsewhere\.example"):
            list(make().pull({"place": {"address": "http://elsewhere.example/records"}, "print": ""}))

    def test_no_list_names_what_is_there(self, make: Any) -> None:
        with pytest.raises(DataError) as caught:
            list(make(records="data.rows").pull(None))
        assert "no list at data.rows" in str(caught.value)
        assert caught.value.hint == "The answer has: data, total, next"

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"url": "ftp://x"}, "does not begin with http"),
            ({"since_param": "since"}, "go together"),
            ({"pages": "pgae"}, "Did you mean 'page'"),
        ],
        ids=["url", "since", "style"],
    )
    def test_settings_that_cannot_work(self, make: Any, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            make(**wrong)


del HttpSource
