"""The guide to simulations happens as it is told there; PLAN stands for the id of the plan that was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sfactl.workspace import Workspace
from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "simulate.md"
APPLY = "$ sfactl strategy apply PLAN"


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USER", "mei")
    quiet_environment(monkeypatch, now="2026-11-02T03:00")
    found = blocks(GUIDE)
    place = next(i for i, block in enumerate(found) if APPLY in block.text)
    planned, _, applied = found[place].text.partition(APPLY)
    follow([*found[:place], replace(found[place], text=planned)], capsys, monkeypatch)
    with Workspace.open(Path.cwd()) as workspace, workspace.query() as query:
        ((plan,),) = query.rows("select plan_id from plans")
    rest = replace(found[place], text=APPLY.replace("PLAN", plan) + applied)
    follow([rest, *found[place + 1 :]], capsys, monkeypatch)
