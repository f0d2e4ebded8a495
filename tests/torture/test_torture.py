"""The torture in small, against each kind of receiver: the same code that ``python -m tests.torture`` runs in full."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfactl.testkit import Commands
from tests.torture.__main__ import table
from tests.torture.receiver import KINDS, Kind
from tests.torture.run import IMPORTS, Size, torture

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]
KILLS: dict[Kind, int] = {"plain": 3, "idempotent": 2, "smtp": 1}
RECIPIENTS = 60
CAMPAIGNS: dict[Kind, int] = {"plain": 2, "idempotent": 1, "smtp": 1}
"""With two, runners meet in the workspace; with one, all but one of them have to give way."""


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with Commands(IMPORTS) as started:
            yield started


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_written_to_twice_and_nobody_is_left_out(
    kind: Kind, tmp_path: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    size = Size(
        kills=KILLS[kind],
        recipients=RECIPIENTS,
        runners=2,
        campaigns=CAMPAIGNS[kind],
        connections=2,
        kind=kind,
        fresh=0,
        slow_s=0.002,
    )
    said: list[str] = []
    counts = torture(tmp_path, size, random.Random(20261122), commands, say=said.append)
    assert counts.found == (), table(counts)
    assert (counts.delivered, counts.doubled, counts.lost) == (RECIPIENTS, 0, 0)
    assert counts.told.at_work.total() >= 1
    assert counts.held <= counts.most_held
    assert counts.answered_again == 0 or kind == "idempotent"
    assert said
