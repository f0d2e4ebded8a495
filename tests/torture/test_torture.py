"""The torture in small, against each kind of receiver: the same code that ``python -m tests.torture`` runs in full."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.torture.receiver import KINDS, Kind
from tests.torture.run import Size, torture

pytestmark = pytest.mark.crash

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_written_to_twice_and_nobody_is_left_out(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    said: list[str] = []
    size = Size(kills=4, recipients=80, runners=2, campaigns=2, connections=2, kind=kind, fresh=0, slow_s=0.002)
    counts = torture(tmp_path, size, random.Random(20261122), say=said.append)
    assert counts.found == ()
    assert counts.delivered == 80
    assert counts.told.at_work.total() >= 4
    assert (counts.answered_again > 0) <= (kind == "idempotent")
    assert counts.held <= counts.most_held
