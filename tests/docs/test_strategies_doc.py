"""The guide to strategies happens as it is told there; between two of its headings three days pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "strategies.md"
LATER = "## Three days later"


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-20T03:00")
    monkeypatch.setenv("USER", "mei")
    later = blocks(GUIDE, after=LATER)
    follow(blocks(GUIDE)[: -len(later)], capsys, monkeypatch)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-23T04:00")
    follow(later, capsys, monkeypatch)
