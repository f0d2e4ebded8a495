"""Every block of the page on reports is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sfactl.cli.main import main

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "reports.md"


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "118")
    monkeypatch.setenv("SFACTL_NOW", "2026-04-20T09:00:00")
    for name in ("SFACTL_WORKSPACE", "SFACTL_ENV", "SFACTL_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    capsys.readouterr()
    text = GUIDE.read_text(encoding="utf-8")
    for language, path, block in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S):
        if language == "sh":
            assert [main(shlex.split(line)[1:]) for line in block.splitlines()] == [0] * block.count("\n")
            capsys.readouterr()
            continue
        if language != "console":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(block, encoding="utf-8")
            continue
        for command, expected in re.findall(r"^\$ sfactl (.*)\n((?:(?!\$ ).*\n)*)", block, re.M):
            main(shlex.split(command))
            answer = capsys.readouterr()
            said = answer.out or answer.err
            assert [s.rstrip() for s in said.splitlines()] == [s.rstrip() for s in expected.splitlines()], command
