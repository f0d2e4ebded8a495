"""The first day of the README happens as it is told there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_first_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-23T03:00")
    follow(blocks(ROOT / "README.md", after="## A first day"), capsys, monkeypatch)
