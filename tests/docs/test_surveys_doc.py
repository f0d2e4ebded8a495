"""Every code block of the page on surveys is used: files are written, and commands answer as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment

PAGE = ROOT / "docs" / "surveys.md"


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-20T02:00:00")
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir("acme")
    follow(blocks(PAGE), capsys, monkeypatch)
