"""The Singer source with taps that are real processes: good ones, broken ones, and streams that others recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.errors import ConfigError, DataError, ServerFault
from sfactl.testkit import LeadSourceSuite

TAP = """
import json, sys
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
start = json.load(open(args["--state"]))["n"] if "--state" in args else 0
config = json.load(open(args["--config"])) if "--config" in args else {}
def say(**message): print(json.dumps(message, ensure_ascii=False), flush=True)
say(type="SCHEMA", stream="leads", schema={"properties": {}}, key_properties=["id"])
say(type="SCHEMA", stream="other", schema={"properties": {}}, key_properties=[])
say(type="ACTIVATE_VERSION", stream="leads", version=1)
for n in range(start + 1, 26):
    say(type="RECORD", stream="leads", record={"id": n, "name": f"客戶 {n}", "token": config.get("token")})
    say(type="RECORD", stream="other", record={"n": n})
    if n % 4 == 0:
        say(type="STATE", value={"n": n})
say(type="STATE", value={"n": 25})
"""


class TestSingerSource(LeadSourceSuite):
    plugin = "sfactl_source_singer"
    offer = "singer"
    rows = 25

    @pytest.fixture
    def settings(self, workspace: Path) -> Mapping[str, Any]:
        (workspace / "tap.py").write_text(TAP, encoding="utf-8")
        return {"command": [sys.executable, "tap.py"], "stream": "leads", "page_rows": 8}

    def tap(self, workspace: Path, *lines: str, code: int = 0) -> dict[str, Any]:
        """Settings of a tap that prints ``lines`` and ends with ``code``."""
        words = "import sys\nsys.stdout.write(" + repr("".join(f"{line}\n" for line in lines)) + ")\n"
        end = f"sys.stdout.flush(); print('token opensesame refused', file=sys.stderr); sys.exit({code})\n"
        (workspace / "bad.py").write_text(words + end, encoding="utf-8")
        return {"command": [sys.executable, "bad.py"]}

    def test_pages_end_at_states(self, make: Any) -> None:
        pages = list(make().pull(None))
        assert [page.table.num_rows for page in pages] == [8, 8, 8, 1]
        assert [page.cursor["state"]["n"] for page in pages] == [8, 16, 24, 25]

    def test_a_tap_without_states_still_comes_in_pages(self, make: Any, workspace: Path) -> None:
        schema = '{"type": "SCHEMA", "stream": "s", "schema": {}, "key_properties": []}'
        records = [json.dumps({"type": "RECORD", "stream": "s", "record": {"id": n}}) for n in range(20)]
        pages = list(make(**self.tap(workspace, schema, *records), stream="").pull(None))
        assert [page.table.num_rows for page in pages] == [8, 8, 4]
        assert {page.cursor["state"] for page in pages} == {None}

    def test_what_stood_before_the_last_state_is_kept(self, make: Any, workspace: Path) -> None:
        good = ['{"type": "SCHEMA", "stream": "leads", "schema": {}, "key_properties": ["id"]}']
        good += ['{"type": "RECORD", "stream": "leads", "record": {"id": 1}}', '{"type": "STATE", "value": 1}']
        pages = []
        with pytest.raises(DataError, match=r"line 5: not JSON: 'oops'"):
            for page in make(**self.tap(workspace, *good, good[1].replace("1", "2"), "oops")).pull(None):
                pages.append(page)
        assert [(page.table.num_rows, page.cursor["state"]) for page in pages] == [(1, 1)]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("[1]", "line 2: [1] is not a message"),
            ('{"type": "RECORD", "stream": "x", "record": {"id": 1}}', "line 2: a record of stream 'x' before its"),
            (
                '{"type": "RECORD", "stream": "leads", "record": {}}',
                "line 2: a record of stream 'leads' without its key",
            ),
            ('{"type": "RECORD", "stream": "leads", "record": 3}', "line 2: a RECORD needs stream and record"),
            ('{"type": "STATE"}', "line 2: a STATE without value"),
            ('{"type": "SCHEMA", "stream": "leads"}', "line 2: a SCHEMA needs stream, schema"),
            ('{"type": "BATCH", "stream": "leads"}', "line 2: a message of type 'BATCH' cannot be read"),
            ('{"type": "REC', "line 2: not JSON"),
        ],
        ids=["list", "order", "key", "record", "state", "schema", "type", "torn"],
    )
    def test_a_broken_line_is_named(self, make: Any, workspace: Path, line: str, message: str) -> None:
        schema = '{"type": "SCHEMA", "stream": "leads", "schema": {}, "key_properties": ["id"]}'
        with pytest.raises(DataError) as caught:
            list(make(**self.tap(workspace, schema, line)).pull(None))
        assert message in str(caught.value)

    def test_a_tap_that_fails_says_why_without_secrets(
        self, make: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TAP_TOKEN", "opensesame")
        with pytest.raises(ServerFault) as caught:
            list(make(**self.tap(workspace, code=3), secrets={"token": "env:TAP_TOKEN"}).pull(None))
        assert "ended with 3: token ••• refused" in str(caught.value)

    def test_secrets_reach_the_tap_and_leave_nothing_behind(
        self, make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("TAP_TOKEN", "opensesame")
        monkeypatch.setenv("TMPDIR", str(tmp_path))
        monkeypatch.setattr("tempfile.tempdir", None)
        pages = list(make(secrets={"token": "env:TAP_TOKEN"}).pull(None))
        assert pages[0].table.column("token")[0].as_py() == "opensesame"
        assert list(tmp_path.glob("sfactl-singer-*")) == []

    def test_two_streams_need_a_choice(self, make: Any) -> None:
        with pytest.raises(DataError, match="more than one stream: leads, other"):
            list(make(stream="").pull(None))

    def test_check_names_what_is_missing(self, make: Any, workspace: Path) -> None:
        (workspace / "c.json").write_text('{"streams": [{"stream": "people"}]}')
        report = make(command=["no-such-tap"], catalog="c.json").check()
        assert report.problems == (
            "command: no-such-tap is not installed",
            "stream: 'leads' is not in the catalog, which has: people",
        )

    def test_no_command_no_source(self, make: Any) -> None:
        with pytest.raises(ConfigError, match="command"):
            make(command=[])

    def test_a_missing_program_is_named(self, make: Any) -> None:
        with pytest.raises(DataError, match="no-such-tap cannot be run"):
            list(make(command=["no-such-tap"]).pull(None))


@pytest.fixture
def samples(shared_data: Path) -> Path:
    return shared_data / "singer_samples"


BROKEN = {
    "pipelinewise/invalid-json.json": "line 3: not JSON: 'THIS IS A TEST INPUT",
    "pipelinewise/invalid-message-order.json": "before its schema",
    "meltanolabs-target-postgres/record_before_schema.singer": "line 1: a record of stream",
    "meltanolabs-target-postgres/record_missing_key_property.singer": "without its key id",
    "meltanolabs-target-postgres/record_missing_required_property.singer": "without its key id",
}


class TestRecordedStreams:
    """Streams recorded by other projects, printed by a process."""

    def pull(self, path: Path, stream: str, folder: Path) -> list[Any]:
        from sfactl.host import Host
        from sfactl.host.model import Origin

        origin = Origin(name="singer", value="sfactl_source_singer", dist="sfactl-source-singer", version="0")
        settings = {"command": ["cat", str(path)], "stream": stream, "page_rows": 3}
        source = Host(folder=folder, origins=(origin,)).make("lead_source", "singer", settings, where="t.toml")
        return list(source.pull(None))

    def streams(self, path: Path) -> dict[str, int]:
        found: dict[str, int] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            message = json.loads(line) if line.strip() else {}
            if message.get("type") == "RECORD":
                found[message["stream"]] = found.get(message["stream"], 0) + 1
        return found

    def test_every_good_stream_is_read_whole(self, samples: Path, tmp_path: Path) -> None:
        files = [p for p in samples.rglob("*.*") if p.is_file() and str(p.relative_to(samples)) not in BROKEN]
        assert len(files) > 30
        for path in files:
            for stream, rows in self.streams(path).items():
                pages = self.pull(path, stream, tmp_path)
                assert sum(page.table.num_rows for page in pages) == rows, f"{path.name} {stream}"

    @pytest.mark.parametrize(("name", "message"), BROKEN.items(), ids=BROKEN)
    def test_every_broken_stream_is_told(self, samples: Path, tmp_path: Path, name: str, message: str) -> None:
        with pytest.raises(DataError) as caught:
            self.pull(samples / name, "", tmp_path)
        assert message in str(caught.value)
