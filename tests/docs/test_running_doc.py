"""The guide on running what is due: files are written, commands answer as shown, on two days."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment

GUIDE = ROOT / "docs" / "running.md"
LATER = "## Three days later"


def test_every_block(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    quiet_environment(monkeypatch, now="2026-11-23T01:05")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.setenv("SFACTL_ACTOR", "root")
    monkeypatch.chdir(tmp_path)
    later = blocks(GUIDE, after=LATER)
    every = blocks(GUIDE)
    follow(every[: len(every) - len(later)], capsys, monkeypatch)
    monkeypatch.setenv("SFACTL_NOW", "2026-11-26T03:10")
    follow(later, capsys, monkeypatch)
