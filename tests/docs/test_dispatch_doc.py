"""Every code block of the page on sending is used: files are written, and commands answer as shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment

PAGE = ROOT / "docs" / "dispatch.md"
SHOWN = "9d1c4a"
"""The plan on the page; its number follows from all keys that a campaign can have, so another release gives another."""


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=300)
    monkeypatch.setenv("USER", "mei")
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    found = blocks(PAGE)
    first = next(n for n, block in enumerate(found) if block.language == "console") + 1
    follow(found[:first], capsys, monkeypatch)
    assert main(["campaign", "plan", "spring", "--dry-run", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)["result"]["plan_id"][:6]
    rest = [replace(block, text=block.text.replace(SHOWN, plan)) for block in found[first:]]
    *today, tomorrow = rest
    follow(today, capsys, monkeypatch)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-22T09:00:00")
    follow([tomorrow], capsys, monkeypatch)
