"""Every code block of the page on the portrait is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sfactl.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "portrait.md"


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("SFACTL_NOW", "2026-11-21T09:00:00")
    monkeypatch.setenv("SFACTL_ACTOR", "mei")
    for name in ("SFACTL_WORKSPACE", "SFACTL_ENV", "SFACTL_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    assert main(["-q", "init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    capsys.readouterr()
    commands = 0
    for block in re.finditer(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        language, path, text = block.groups()
        if language != "console":
            into = Path(path)
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_text(text, encoding="utf-8")
            continue
        for command, expected in re.findall(r"^\$ sfactl (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            commands += 1
            main(shlex.split(command))
            answer = capsys.readouterr()
            said = answer.out or answer.err
            assert [s.rstrip() for s in said.splitlines()] == [s.rstrip() for s in expected.splitlines()], command
    assert commands > 20
