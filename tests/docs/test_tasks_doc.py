"""Every code block of the page on tasks is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=120)
    monkeypatch.setenv("SFACTL_ACTOR", "boss")
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    found = blocks(ROOT / "docs" / "tasks.md")
    assert sum(block.text.count("$ sfactl ") for block in found if block.language == "console") > 7
    follow(found, capsys, monkeypatch)
