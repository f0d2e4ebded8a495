"""``sfactl lead pull`` over HTTP, killed again and again in the middle of a page: nothing is lost, nothing is doubled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.testkit import Commands, JsonServer, ServerFault

SOURCE = """
schema = 1
use = "http"
url = "{url}/records"
records = "data.items"
pages = "{style}"
page_param = "{param}"
mapping = "inquiries"
"""
MAPPING = """
schema = 1
[columns]
external_id = "id"
email = "email"
full_name = "name"
"""


@pytest.fixture(scope="module")
def sfactl() -> Iterator[Commands]:
    with Commands(["sfactl_source_http.source"]) as commands:
        yield commands


@pytest.mark.crash
@pytest.mark.parametrize(
    ("style", "param"), [("next-link", "start"), ("cursor", "cursor"), ("page", "page"), ("offset", "offset")]
)
def test_every_inquiry_arrives_once(tmp_path: Path, sfactl: Commands, style: str, param: str) -> None:
    records = [{"id": f"Q{n}", "email": f"buyer{n}@example.com", "name": f"王小明 {n}"} for n in range(90)]
    folder = tmp_path / "ws"
    assert sfactl.run("init", folder).code == 0
    pull = ("-w", folder, "lead", "pull", "inquiries")
    with JsonServer(records=records, page_size=10, style=style) as server:  # type: ignore[arg-type]
        for name, text in (("sources", SOURCE), ("mappings", MAPPING)):
            (folder / name).mkdir(exist_ok=True)
            file = folder / name / "inquiries.toml"
            file.write_text(text.replace("{url}", server.url).format(style=style, param=param), encoding="utf-8")
        for pages in (1, 2, 0, 3):
            server.fail(*[None] * pages, ServerFault(kind="hang"))
            asked = len(server.requests) + pages + 1
            running = sfactl.start(*pull)
            server.wait_for(asked)  # the page behind the last committed one is under way
            assert running.kill().code < 0
        assert sfactl.run(*pull).code == 0
        pulled = sum(seen.method == "GET" for seen in server.requests)
    sql = "select count(*) as n, count(distinct external_id) as ids from leads"
    assert sfactl.run("-w", folder, "sql", sql, "--format", "json").result == [{"n": 90, "ids": 90}]
    assert pulled <= 9 + 4 + 1, "each page was asked for once, but for the four that were cut off"
