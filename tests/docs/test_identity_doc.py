"""The guide to merging happens as it is told there; PLAN stands for the number of the plan that was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "identity.md"


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "mei")
    quiet_environment(monkeypatch, now="2026-11-23T03:00")
    found = blocks(GUIDE)
    planned = next(i for i, block in enumerate(found) if "apply PLAN" in block.text)
    follow(found[:planned], capsys, monkeypatch)
    before, _, after = found[planned].text.partition("$ sfactl lead dedupe apply")
    follow([replace(found[planned], text=before)], capsys, monkeypatch)
    number = plan_number(Path.cwd())
    rest = [replace(found[planned], text=f"$ sfactl lead dedupe apply{after}"), *found[planned + 1 :]]
    follow([replace(block, text=block.text.replace("PLAN", number)) for block in rest], capsys, monkeypatch)


def plan_number(folder: Path) -> str:
    from sfactl.workspace import Workspace

    with Workspace.open(folder) as workspace, workspace.query() as query:
        return str(query.rows("select plan_id from dedupe_plans order by seq desc")[0][0])
