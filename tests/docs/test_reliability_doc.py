"""The guide on what is certain: its commands answer as shown before a rude server, its tables are those of the tests."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.testkit import Manner, RudeServer
from tests.docs.console import ROOT, blocks, follow, quiet_environment
from tests.torture.__main__ import main as torture
from tests.torture.test_rude_servers import HTTP_CASES, SMTP_CASES

GUIDE = ROOT / "docs" / "reliability.md"
PORT = "8025"
SHOWN = "4f4406"
"""The plan's id in the guide. It changes with what plans are made of, which is told elsewhere."""

BROKEN = Manner(at="end", does="close", takes=True, sparing=1, times=1)


def test_every_block(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet_environment(monkeypatch, now="2026-11-23T01:05")
    monkeypatch.chdir(tmp_path)
    with RudeServer("http", BROKEN, tmp_path / "journal") as server:
        found = [replace(block, text=block.text.replace(PORT, str(server.port))) for block in blocks(GUIDE)]
        first = next(n for n, block in enumerate(found) if block.language == "console")
        follow(found[: first + 1], capsys, monkeypatch)
        actual = plan_id(capsys)
        sent, written, settled, copied = [
            replace(block, text=block.text.replace(SHOWN, actual)) for block in found[first + 1 : -1]
        ]
        follow([sent, written], capsys, monkeypatch)
        fill_in(Path("held.csv"))
        follow([settled], capsys, monkeypatch)
        shutil.copytree(tmp_path / "acme", tmp_path / "copy")
        follow([copied], capsys, monkeypatch)
        assert server.taken == ["amy@example.com", "bo@example.com", "cy@example.com"]


def plan_id(capsys: pytest.CaptureFixture[str]) -> str:
    """The beginning of the id that the next plan gets."""
    capsys.readouterr()
    assert main(["-q", "campaign", "plan", "spring", "--dry-run", "--format", "json"]) == 0
    return str(json.loads(capsys.readouterr().out)["result"]["plan_id"])[:6]


def fill_in(file: Path) -> None:
    """Do as the guide says: add a column."""
    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([[*rows[0], "outcome"], *([*row, "accepted"] for row in rows[1:])])


@pytest.mark.parametrize(("head", "cases"), [("a mail server", SMTP_CASES), ("a web service", HTTP_CASES)])
def test_the_tables_are_those_of_the_tests(head: str, cases: list[object]) -> None:
    lines = GUIDE.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"| {head} | the message is |") + 2
    assert lines[start : start + len(cases) + 1] == [*map(row, cases), ""]


def row(case: object) -> str:
    """A case as the guide tells it: the outcome of the message that met the manner."""
    outcomes = case.values[1].split()  # type: ignore[attr-defined]
    met = next((o for o in outcomes if o != "accepted"), "accepted").replace("retry_after", "planned")
    return f"| {case.id} | {' or '.join(met.split('|'))} |"  # type: ignore[attr-defined]


def test_the_torture_is_called_rightly() -> None:
    (shown,) = [block for block in blocks(GUIDE) if block.language == "sh"]
    for line in shown.text.splitlines():
        python, dash_m, module, *options = shlex.split(line)
        assert (python, dash_m, module) == ("python", "-m", "tests.torture")
        with torture.make_context("torture", options) as context:
            assert context.params["runners"] == 4
