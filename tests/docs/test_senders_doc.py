"""Every code block of the page on senders is used: each file makes a sender, commands answer exactly as shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sfactl.cli.main import main
from tests.docs.console import ROOT, blocks, follow, quiet_environment

PAGE = ROOT / "docs" / "senders.md"


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-21T09:00:00", columns=300)
    for name in re.findall(r'"env:(\w+)"', PAGE.read_text(encoding="utf-8")):
        monkeypatch.setenv(name, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    found = blocks(PAGE)
    assert sum(block.path.startswith("senders/") for block in found) == 16
    follow(found, capsys, monkeypatch)


def test_every_sender_that_is_installed_has_its_line() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## E-mail services")[0]
    named = set(re.findall(r"`([a-z-]+)`", table.partition("|---|")[2]))
    offered = {
        name
        for source in (ROOT / "sfactl/campaigns/plugin.py", *ROOT.glob("plugins/sfactl-sender-*/src/*/__init__.py"))
        for name in re.findall(r'(?:name=|_preset\(|_offer\()"([a-z-]+)"', source.read_text(encoding="utf-8"))
    }
    assert offered <= named
