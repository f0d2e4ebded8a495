"""Runs the blocks of a guide: files are written where they say, commands must answer exactly as shown."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfactl.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block: its language, the file it is the text of (may be empty), and its text."""

    language: str
    path: str
    text: str


def blocks(guide: Path, *, after: str = "") -> list[Block]:
    """The blocks of the guide, in order; ``after`` is the heading from which they are read."""
    text = guide.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w+) ?(\S*)\n(.*?)^```$", text[text.index(after) :], re.M | re.S)
    return [Block(language=m[1], path=m[2], text=m[3]) for m in found]


def quiet_environment(monkeypatch: pytest.MonkeyPatch, *, now: str = "", columns: int = 200) -> None:
    """Nothing of the caller's settings leaks into the guide; ``now`` stops the clock."""
    for name in ("SFACTL_WORKSPACE", "SFACTL_ENV", "SFACTL_DEBUG", "SFACTL_NOW"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    if now:
        monkeypatch.setenv("SFACTL_NOW", now)


def follow(found: list[Block], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what the blocks say, from the current folder; ``cd`` is understood, a line of … stands for any lines.

    Commands in a block of ``sh`` show no answer and must end well.
    """
    capsys.readouterr()
    for block in found:
        if block.language == "sh":
            assert [main(shlex.split(line)[1:]) for line in block.text.splitlines()] == [0] * block.text.count("\n")
            capsys.readouterr()
            continue
        if block.language != "console":
            into = Path(block.path)
            into.parent.mkdir(parents=True, exist_ok=True)
            into.write_text(block.text, encoding="utf-8")
            continue
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, re.M):
            name, *args = shlex.split(command)
            if name == "cd":
                monkeypatch.chdir(args[0])
                continue
            assert name == "sfactl", command
            main(args)
            answer = capsys.readouterr()
            shown = [s.rstrip() for s in expected.splitlines()]
            said = [s.rstrip().replace(f"{Path.cwd()}/", "") for s in (answer.out or answer.err).splitlines()]
            assert _as_shown(said, shown), f"$ {command}\n" + "\n".join(said)


def _as_shown(said: list[str], shown: list[str]) -> bool:
    if "…" not in shown:
        return said == shown
    cut = shown.index("…")
    rest = len(shown) - cut - 1
    return len(said) >= cut + rest and said[:cut] == shown[:cut] and said[len(said) - rest :] == shown[cut + 1 :]
