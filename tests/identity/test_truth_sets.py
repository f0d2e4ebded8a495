"""Quality on public data with known duplicates does not fall. The floors are well below what is stated in the guide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.identity.quality import load, measured, session_of
from tests.identity.truth_sets import SETS

FLOORS = {"febrl1": (0.98, 0.93), "fake_1000": (0.95, 0.65), "restaurants": (0.80, 0.85), "abt-buy": (0.85, 0.35)}
"""Least precision and recall of the pairs to merge."""


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOORS)
def test_quality_holds(name: str, shared_data: Path, tmp_path: Path) -> None:
    truth = SETS[name](shared_data)
    workspace = load(tmp_path, truth)
    with session_of(workspace, truth) as session:
        merge, every = measured(session, truth)
    precision, recall = FLOORS[name]
    assert merge.precision >= precision
    assert merge.recall >= recall
    assert every.recall >= merge.recall
