"""Every code block of the import guide is used: files are written, commands answer exactly as shown."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from sfactl.cli.main import main

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "import.md"


def blocks() -> list[tuple[str, str, str]]:
    """(language, path, text) of each block."""
    text = GUIDE.read_text(encoding="utf-8")
    return [(m[1], m[2], m[3]) for m in re.finditer(r"^```(\w+) ?(\S*)\n(.*?)^```$", text, re.M | re.S)]


def test_the_guide_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("SFACTL_WORKSPACE", "SFACTL_ENV", "SFACTL_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    assert main(["init", "acme"]) == 0
    monkeypatch.chdir(tmp_path / "acme")
    assert main(["config", "set", "workspace.country", "TW"]) == 0
    for folder in ("sources",):
        for path in (tmp_path / "acme" / folder).glob("*.toml"):
            path.unlink()
    capsys.readouterr()
    for language, path, text in blocks():
        if language != "console":
            into = Path(path)
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_text(text, encoding="utf-8")
            continue
        for command, expected in re.findall(r"^\$ sfactl (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
            main(shlex.split(command))
            answer = capsys.readouterr()
            said = answer.out or answer.err
            assert [s.rstrip() for s in said.splitlines()] == [s.rstrip() for s in expected.splitlines()], command
