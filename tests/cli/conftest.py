"""Run the command line in this process and look at all that it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sfactl.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What one call of sfactl left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout, which must be JSON and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def sfactl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Call ``sfactl`` with the arguments given."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("SFACTL_WORKSPACE", "SFACTL_ENV", "SFACTL_DEBUG", "SFACTL_NOW"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: object) -> Answer:
        capsys.readouterr()
        code = main([str(a) for a in args])
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def acme(tmp_path: Path, sfactl: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh workspace from the b2b preset; the current folder is beside it."""
    monkeypatch.chdir(tmp_path)
    answer = sfactl("init", "acme")
    assert answer.code == 0, answer.err
    return tmp_path / "acme"
