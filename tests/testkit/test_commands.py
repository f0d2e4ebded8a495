"""Commands that are forked, answer, and can be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.testkit import Commands


@pytest.fixture(scope="module")
def sfactl() -> Iterator[Commands]:
    with Commands() as commands:
        yield commands


def test_a_command_answers_with_code_and_words(sfactl: Commands, tmp_path: Path) -> None:
    made = sfactl.run("init", "acme", "--format", "json", folder=tmp_path)
    assert (made.code, made.err) == (0, "")
    assert made.result
    wrong = sfactl.run("-w", tmp_path / "acme", "lead", "sohw")
    assert wrong.code == 2
    assert "show" in wrong.err
    assert sfactl.run("-w", "acme", "lead", "list", folder=tmp_path).code == 0


def test_a_command_can_be_killed_and_the_next_one_lives(sfactl: Commands, tmp_path: Path) -> None:
    assert sfactl.start("init", tmp_path / "acme").kill().code in (-9, 0)
    running = sfactl.start("init", tmp_path / "other")
    assert (running.wait().code, running.at_work) == (0, False)
    assert running.kill().code == 0
