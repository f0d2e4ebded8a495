"""Every code block of the page on returned mail is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.engine.conditions import compile_condition
from sfactl.schemas import core_schemas
from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=120)
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    found = blocks(ROOT / "docs" / "bounces.md")
    for block in (b for b in found if b.language == "sql"):
        compile_condition(block.text, schemas=core_schemas(), now=datetime(2026, 11, 21))
    assert sum(block.text.count("$ sfactl ") for block in found if block.language == "console") == 4
    follow([b for b in found if b.language != "sql"], capsys, monkeypatch)
