"""Every block of docs/assignment.md: files are laid down, commands are run, and the output is compared."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.cli.main import main
from sfactl.workspace import Workspace

DOC = Path(__file__).resolve().parents[2] / "docs/assignment.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, on Monday 2026-06-15."""
    monkeypatch.setenv("SFACTL_NOW", "2026-06-15T12:00:00")
    monkeypatch.setenv("COLUMNS", "128")
    monkeypatch.setenv("USER", "boss")
    monkeypatch.chdir(tmp_path)
    Workspace.create(tmp_path).close()
    (tmp_path / "sfactl.toml").write_text("schema = 1\n[engine]\nthreads = 1\n")
    return tmp_path


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Commands of a console block with the output that should follow."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        yield shlex.split(line), output


def ran(words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    """What the command says, results and complaints."""
    if words[0] == "export":
        monkeypatch.setenv(*words[1].split("=", 1))
        return ""
    capfd.readouterr()
    main(words[1:])
    said = capfd.readouterr()
    return "".join(f"{line.rstrip()}\n" for line in (said.out + said.err).splitlines())


def test_the_document_is_true(folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    seen = set()
    for kind, name, text in BLOCK.findall(DOC.read_text(encoding="utf-8")):
        seen.add(kind)
        if kind in {"toml", "csv"}:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        elif kind == "console":
            for words, expected in commands(text):
                assert ran(words, monkeypatch, capfd) == expected, words
        else:
            pytest.fail(f"nothing checks a block of kind {kind}")
    assert seen == {"toml", "csv", "console"}
