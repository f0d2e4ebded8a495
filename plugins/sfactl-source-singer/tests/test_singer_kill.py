"""``sfactl lead pull`` of a tap, killed again and again behind a state: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ServerFault
from sfactl.host import Host
from sfactl.host.model import Origin

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


def sfactl(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "sfactl", "-w", str(folder), *arguments]


def answer(folder: Path, *arguments: str) -> Any:
    done = subprocess.run(sfactl(folder, *arguments, "--format", "json"), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["result"]


@pytest.mark.crash
def test_every_record_arrives_once(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    subprocess.run(sfactl(tmp_path, "init", str(folder)), check=True, capture_output=True)
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
        process = subprocess.Popen(sfactl(folder, "lead", "pull", "tap"), stdout=subprocess.DEVNULL)
        (folder / "told").read_text()  # the tap stands still in the middle of a page
        process.kill()
        process.wait()
        os.kill(int((folder / "hang").read_text()), signal.SIGKILL)
    (folder / "hang").unlink()
    answer(folder, "lead", "pull", "tap")
    (counted,) = answer(folder, "sql", "select count(*) as n, count(distinct external_id) as ids from leads")
    assert (counted["n"], counted["ids"]) == (ROWS, ROWS)
    assert answer(folder, "lead", "pull", "tap")["new"] == 0


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
