"""Every code block of the guide to matching is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_guide_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch)
    assert main(["init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    assert main(["config", "set", "workspace.country", "CH"]) == 0
    follow(blocks(ROOT / "docs" / "matching.md"), capsys, monkeypatch)
