"""The HTTP source in a process that is killed again and again in the middle of a page: no record is lost, none is committed twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sfactl.testkit import JsonServer, ServerFault

# Commits as the core does: rows and cursor of a page in one durable write. The pull goes on from the last whole line.
RUNNER = """
import json, os, sys
from pathlib import Path
from sfactl.host import Host
from sfactl.host.model import Origin

url, journal = sys.argv[1], Path(sys.argv[2])
lines = journal.read_text().splitlines() if journal.exists() else []
cursor = json.loads(lines[-1])["cursor"] if lines else None
origin = Origin(name="http", value="sfactl_source_http", dist="sfactl-source-http", version="0")
settings = {"url": url, "records": "data.items", "pages": sys.argv[3], "page_param": sys.argv[4]}
source = Host(folder=journal.parent, origins=(origin,)).make("lead_source", "http", settings, where="t.toml")
for page in source.pull(cursor):
    row = json.dumps({"ids": page.table.column("id").to_pylist() if page.table.num_rows else [], "cursor": page.cursor})
    handle = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (row + "\\n").encode())
    os.fsync(handle)
    os.close(handle)
    print("committed", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.crash
@pytest.mark.parametrize(
    ("style", "param"), [("next-link", "start"), ("cursor", "cursor"), ("page", "page"), ("offset", "offset")]
)
def test_nothing_is_lost_or_doubled(tmp_path: Path, style: str, param: str) -> None:
    journal = tmp_path / "journal.jsonl"
    command = [sys.executable, "-c", RUNNER]
    with JsonServer(records=[{"id": n} for n in range(120)], page_size=10, style=style) as server:  # type: ignore[arg-type]
        arguments = [f"{server.url}/records", str(journal), style, param]
        for pages in (1, 2, 1, 3):
            server.fail(*[None] * pages, ServerFault(kind="hang"))
            asked = len(server.requests) + pages + 1
            process = subprocess.Popen([*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            assert process.stdout is not None
            assert process.stdin is not None
            for _ in range(pages):
                process.stdout.readline()
                process.stdin.write(b"\n")
            while len(server.requests) < asked:  # the page after the last committed one is under way
                assert process.poll() is None
            process.kill()
            process.wait()
            process.stdout.close()
            process.stdin.close()
        subprocess.run([*command, *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    ids = [n for line in journal.read_text().splitlines() for n in json.loads(line)["ids"]]
    assert ids == list(range(120))
