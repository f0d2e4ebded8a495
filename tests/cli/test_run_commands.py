"""``sfactl run`` at the prompt: exit codes, the envelope, the summaries, and mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sfactl.workspace import Workspace
from sfactl.workspace.runner import only_runner
from tests.runs.conftest import MONDAY

Call = Callable[..., Any]

FILES = {
    "sfactl.toml": (
        'schema = 1\n[workspace]\ntime_zone = "Asia/Taipei"\n[run.jobs.scores]\nschedule = "0 9 * * *"\n'
        '[run.jobs.segments]\nschedule = "0 9 * * *"\n[env.dev.run.jobs.segments]\nactive = false\n'
        '[env.prod.senders.post]\npassword = "env:SMTP_PASSWORD"\n[env.dev]\n'
    ),
    "senders/post.toml": 'schema = 1\nuse = "maildir"\n',
    "segments/big.toml": 'schema = 1\nsummary = "Big"\nwhere = "employees > 200"\n',
}


@pytest.fixture
def acme(tmp_path: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    Workspace.create(tmp_path).close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-23T01:00")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


def test_what_is_due_and_then_nothing(acme: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    (acme / "shown.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(acme / "shown.md"))
    first = sfactl("run", "--due", "--summary", "run.md", "--format", "json")
    answer = json.loads(first.out)
    assert (first.code, answer["schema"], answer["command"], answer["status"]) == (0, 1, "run", "ok")
    assert [(job["job"], job["state"]) for job in answer["result"]["jobs"]] == [
        ("scores", "nothing"),
        ("segments", "nothing"),
    ]
    text = (acme / "run.md").read_text(encoding="utf-8")
    assert text.startswith("## sfactl run 1 · 2026-11-23 09:00 Asia/Taipei\n")
    assert (acme / "shown.md").read_text(encoding="utf-8") == f"before\n{text}"
    assert sfactl("run", "--due").code == 0
    assert sfactl("run", "--due", "--fail-empty").code == 4
    assert sfactl("run", "due", "--fail-empty").code == 4


def test_a_failure_is_3_and_told(acme: Path, sfactl: Call) -> None:
    (acme / "segments/big.toml").write_text('schema = 1\nsummary = "Big"\nwhere = "employes > 200"\n', encoding="utf-8")
    done = sfactl("run", "--due", "--summary", "run.md")
    assert done.code == 3
    assert 'segments/big.toml: where, position 1: unknown field "employes" of lead' in done.out
    assert "| ✗ | segments | failed |" in (acme / "run.md").read_text(encoding="utf-8")
    assert json.loads(sfactl("run", "--due", "--format", "json").out)["status"] == "partial"


def test_a_second_runner_leaves_saying_who_is_at_work(acme: Path, sfactl: Call) -> None:
    with Workspace.open(acme) as workspace, only_runner(
        workspace.manifest, workspace.private / "locks", run_id="r", actor="mei", since=MONDAY, takeover_s=60, stuck_s=60
    ) as runner:  # fmt: skip
        runner.at("scores")
        said = sfactl("run", "--due")
        assert said.code == 1
        assert "error [locked] another run is at work: run 1 of mei on " in said.err
        assert "at scores" in said.err
    assert sfactl("run", "--due").code == 0


def test_an_environment_and_its_difference_as_a_file(acme: Path, sfactl: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2")
    assert [
        job["job"]
        for job in json.loads(sfactl("--env", "dev", "run", "--due", "--format", "json").out)["result"]["jobs"]
    ] == ["scores"]
    assert sfactl("config", "diff", "dev", "prod", "--output", "prod.csv").code == 0
    text = (acme / "prod.csv").read_text(encoding="utf-8")
    assert "run.jobs.segments.active,false,,sfactl.toml [env.dev],\n" in text
    assert "senders.post.password,,env:SMTP_PASSWORD" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        ((), 2, "Say --due"),
        (("--due", "list"), 2, "do not go with 'list'"),
        (("--due", "--only", "score"), 2, "there is no job 'score'. Did you mean 'scores'?"),
        (("--due", "--wait", "10m"), 2, "'m' may mean minutes or months"),
        (("--due", "--wait", "1 month"), 2, "write it in days, hours or minutes"),
        (("--due", "--summary", "nowhere/run.md"), 2, "there is no folder nowhere"),
        (("show", "abc"), 2, "there is no run 'abc'"),
        (("next", "score"), 2, "Did you mean 'scores'?"),
        (("report", "--from", "yesterday"), 2, "'yesterday' is not a commit number, a date or a time"),
    ],
)
def test_mistakes(acme: Path, sfactl: Call, args: tuple[str, ...], code: int, message: str) -> None:
    said = sfactl("run", *args)
    assert (said.code, message in said.err) == (code, True), said.err
    assert sfactl("run", "log").out == "Nothing was run yet.\n"


def test_looking_at_nothing(acme: Path, sfactl: Call) -> None:
    assert sfactl("run", "log").out == "Nothing was run yet.\n"
    assert sfactl("run", "report").out == "No run did anything in that time.\n"
    assert "scores" in sfactl("run", "list", "--all").out
    assert sfactl("run", "next", "tags").out == "Nothing comes.\n"
