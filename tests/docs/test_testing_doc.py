"""The guide to tests of rules happens as it is told there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "testing.md"


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-23T03:00")
    follow([block for block in blocks(GUIDE) if block.language != "text"], capsys, monkeypatch)
    assert (Path.cwd() / "report.xml").read_text(encoding="utf-8").count("<testcase ") == 1
