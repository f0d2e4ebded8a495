"""Every block of the page on processes and journeys is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-06-15T09:00:00", columns=118)
    assert main(["init", "acme", "--preset", "b2b"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    shutil.rmtree("strategies")
    follow(blocks(ROOT / "docs" / "processes.md"), capsys, monkeypatch)
