"""The guide on running what is due: files are written, commands answer as shown, on two days."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, Block, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "running.md"
LATER = "## Three days later"


SHOWN = "ace610"
"""The plan's id in the guide. It changes with what plans are made of, which is told elsewhere."""


def test_every_block(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet_environment(monkeypatch, now="2026-11-23T01:05")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("SFACTL_ACTOR", "root")
    later = len(blocks(GUIDE, after=LATER))
    found = blocks(GUIDE)
    actual = plan_id(tmp_path / "first", found, capsys, monkeypatch)
    found = [replace(block, text=block.text.replace(SHOWN, actual)) for block in found]
    (tmp_path / "then").mkdir()
    monkeypatch.chdir(tmp_path / "then")
    follow(found[:-later], capsys, monkeypatch)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-26T03:10")
    follow(found[-later:], capsys, monkeypatch)


def plan_id(
    folder: Path, found: list[Block], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """The beginning of the id of the plan that waits, by a first run of the same files."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    follow([b for b in found if b.language != "console" and not b.path.startswith("segments/")], capsys, monkeypatch)
    assert main(["-w", "acme", "run", "--due", "--format", "json"]) == 0
    (waiting,) = json.loads(capsys.readouterr().out)["result"]["waiting"]
    return str(waiting["plan_id"])[:6]
