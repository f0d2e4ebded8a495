"""A recorded period, played again, comes out as it was recorded: messages, tasks and enrolments, to the last column."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.conftest import Life


def test_replay_reproduces_the_record(life: Life) -> None:
    found = life.simulate(recorded=True)
    assert found.history == "known"
    assert found.runs == 14
    assert [(r.what, r.recorded, r.same) for r in found.replay if not r.exact] == []
    counted = {r.what: r.recorded for r in found.replay}
    assert counted["messages"] >= 30 and counted["tasks"] >= 5 and counted["enrolments"] >= 30
