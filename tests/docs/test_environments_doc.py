"""The page on bringing rules to another workspace happens as it is told there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.console import ROOT, blocks, follow, quiet_environment


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-20T03:00")
    follow(blocks(ROOT / "docs" / "environments.md"), capsys, monkeypatch)
