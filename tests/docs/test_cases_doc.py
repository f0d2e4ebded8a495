"""Every code block of the page on cases is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=140)
    monkeypatch.setenv("SFACTL_ACTOR", "ana")
    assert main(["-q", "init", "acme", "--preset", "b2b"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    follow(blocks(ROOT / "docs" / "cases.md"), capsys, monkeypatch)
