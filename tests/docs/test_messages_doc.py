"""Every code block of the page on messages is used: files are written, commands answer as shown, lists are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfactl.campaigns.sandbox import FILTERS
from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment

PAGE = ROOT / "docs" / "messages.md"


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-24T09:00:00", columns=120)
    assert main(["-q", "init", "acme", "--preset", "b2b"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    follow(blocks(PAGE), capsys, monkeypatch)


def test_it_names_every_filter() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = re.findall(r"`(\w+)`", text[text.index("these filters:") : text.index("- **Nothing missing")])
    assert tuple(named) == FILTERS
