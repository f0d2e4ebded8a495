"""Every code block of the page on replies is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.strategies.files import parse_strategy
from tests.docs.console import ROOT, Block, blocks, follow, quiet_environment

PAGE = ROOT / "docs" / "replies.md"
APPLIED = "Next: sfactl campaign apply PLAN"
STRATEGY = 'schema = 1\nsummary = "x"\nwhere = "true"\n[[steps]]\nname = "end-here"\naction = "stop"\n'


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    quiet_environment(monkeypatch, now="2026-11-20T10:00:00", columns=120)
    assert main(["-q", "init", "acme", "--preset", "b2b"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    for folder in ("campaigns", "strategies"):
        for path in Path(folder).glob("*.toml"):
            path.unlink()
    found = blocks(PAGE)
    for block in (b for b in found if b.language == "toml" and not b.path):
        assert parse_strategy(STRATEGY + block.text, "x", where="docs").exit is not None
    found = [b for b in found if b.path or b.language == "console"]
    first = next(n for n, b in enumerate(found) if APPLIED in b.text)
    follow(found[:first], capsys, monkeypatch)
    assert main(["campaign", "plan", "offer"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    plan = last.rpartition(" ")[2]
    assert found[first].text.splitlines()[-1].replace("PLAN", plan) == last
    assert main(["campaign", "apply", plan]) == 0
    monkeypatch.setenv("SFACTL_NOW", "2026-11-23T10:00:00")
    follow([Block(language=b.language, path=b.path, text=b.text) for b in found[first + 1 :]], capsys, monkeypatch)
