"""``sfactl lead pull`` over HTTP, killed again and again in the middle of a page: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sfactl.testkit import JsonServer, ServerFault

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


def sfactl(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sfactl", "-w", str(folder), *arguments]


def answer(folder: Path, *arguments: str) -> Any:
    done = subprocess.run(
        sfactl(folder, *arguments, "--format", "json"), capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"]


@pytest.mark.crash
@pytest.mark.parametrize(
    ("style", "param"), [("next-link", "start"), ("cursor", "cursor"), ("page", "page"), ("offset", "offset")]
)
def test_every_inquiry_arrives_once(tmp_path: Path, style: str, param: str) -> None:
    records = [{"id": f"Q{n}", "email": f"buyer{n}@example.com", "name": f"王小明 {n}"} for n in range(90)]
    subprocess.run(sfactl(tmp_path, "init", str(tmp_path / "ws")), check=True, capture_output=True)
    folder = tmp_path / "ws"
    with JsonServer(records=records, page_size=10, style=style) as server:  # type: ignore[arg-type]
        for name, text in (("sources", SOURCE), ("mappings", MAPPING)):
            (folder / name).mkdir(exist_ok=True)
            file = folder / name / "inquiries.toml"
            file.write_text(text.replace("{url}", server.url).format(style=style, param=param), encoding="utf-8")
        for pages in (1, 2, 0, 3):
            server.fail(*[None] * pages, ServerFault(kind="hang"))
            asked = len(server.requests) + pages + 1
            process = subprocess.Popen(
                sfactl(folder, "lead", "pull", "inquiries"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            server.wait_for(asked)  # the page behind the last committed one is under way
            process.kill()
            process.wait()
        answer(folder, "lead", "pull", "inquiries")
        pulled = sum(seen.method == "GET" for seen in server.requests)
    (counted,) = answer(folder, "sql", "select count(*) as n, count(distinct external_id) as ids from leads")
    assert (counted["n"], counted["ids"]) == (90, 90)
    assert pulled <= 9 + 4 + 1, "each page was asked for once, but for the four that were cut off"
