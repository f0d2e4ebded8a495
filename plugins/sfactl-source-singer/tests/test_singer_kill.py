"""``sfactl lead pull`` of a tap, killed again and again behind a state: nothing is lost, nothing is doubled."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from sfactl.api.errors import ServerFault
from sfactl.host import Host
from sfactl.host.model import Origin
from sfactl.testkit import Commands

ROWS = 30
TAP = """
import json, os, sys
state = json.load(open(sys.argv[sys.argv.index("--state") + 1]))["at"] if "--state" in sys.argv else 0
print(json.dumps({"type": "SCHEMA", "stream": "leads", "schema": {}, "key_properties": ["id"]}))
for n in range(state, ROWS):
    print(json.dumps({"type": "RECORD", "stream": "leads", "record": {"id": f"Q{n}", "email": f"b{n}@example.com"}}))
    if n % 3 == 2:
        print(json.dumps({"type": "STATE", "value": {"at": n + 1}}), flush=True)
    if n == state + 10 and os.path.exists("hang"):
        sys.stdout.flush()
        open("hang", "w").write(str(os.getpid()))
        open("told", "w").write("x")
        open("wait").read()
""".replace("ROWS", str(ROWS))


@pytest.mark.crash
def test_every_record_arrives_once(tmp_path: Path) -> None:
    with Commands(["sfactl_source_singer.source"]) as sfactl:
        check_every_record(tmp_path / "ws", sfactl)


def check_every_record(folder: Path, sfactl: Commands) -> None:
    assert sfactl.run("init", folder).code == 0
    pull = ("-w", folder, "lead", "pull", "tap", "--format", "json")
    (folder / "tap.py").write_text(TAP)
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "sources" / "tap.toml").write_text(
        f'schema = 1\nuse = "singer"\ncommand = ["{sys.executable}", "tap.py"]\npage_rows = 3\n'
        '[mapping.columns]\nexternal_id = "id"\nemail = "email"\n'
    )
    os.mkfifo(folder / "wait")
    os.mkfifo(folder / "told")
    for _ in range(2):
        (folder / "hang").touch()
        running = sfactl.start(*pull)
        (folder / "told").read_text()  # the tap stands still in the middle of a page
        assert running.kill().code < 0
        os.kill(int((folder / "hang").read_text()), signal.SIGKILL)
    (folder / "hang").unlink()
    assert sfactl.run(*pull).code == 0
    sql = "select count(*) as n, count(distinct external_id) as ids from leads"
    assert sfactl.run("-w", folder, "sql", sql, "--format", "json").result == [{"n": ROWS, "ids": ROWS}]
    assert sfactl.run(*pull).result["new"] == 0


def test_a_tap_that_falls_silent_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "wait")
    script = (
        "import json; print(json.dumps({'type': 'SCHEMA', 'stream': 'a', 'schema': {}, 'key_properties': []}));"
        "print(json.dumps({'type': 'RECORD', 'stream': 'a', 'record': {'id': 1}}));"
        "print(json.dumps({'type': 'STATE', 'value': 1}), flush=True); open('wait').read()"
    )
    origin = Origin(name="singer", value="sfactl_source_singer", dist="sfactl-source-singer", version="0")
    settings = {"command": [sys.executable, "-c", script], "silent_s": 0.3}
    source = Host(folder=tmp_path, origins=(origin,)).make("lead_source", "singer", settings, where="t.toml")
    pages = source.pull(None)
    assert next(pages).table.num_rows == 1
    with pytest.raises(ServerFault, match="said nothing for"):
        next(pages)
