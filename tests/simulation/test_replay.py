"""A recorded period, played again, comes out as it was recorded, and nothing is written or sent by it."""

from __future__ import annotations

import hashlib
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from sfactl.simulation.model import Simulation
    from tests.simulation.conftest import Life


def files_of(folder: Path) -> dict[str, str]:
    """Every file of the workspace by its content."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


@pytest.fixture(scope="module")
def replay(life: Life) -> tuple[Simulation, dict[str, str], dict[str, str]]:
    """The replay, made without network and without other processes, and the workspace's files before and after."""

    def refused(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a simulation reaches nobody")

    before = files_of(life.folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "socket", refused)
        patch.setattr(socket, "create_connection", refused)
        patch.setattr(socket, "getaddrinfo", refused)
        patch.setattr(subprocess, "Popen", refused)
        found = life.simulate(recorded=True)
    return found, before, files_of(life.folder)


def test_replay_reproduces_the_record(replay: tuple[Simulation, dict[str, str], dict[str, str]]) -> None:
    found = replay[0]
    assert found.history == "known"
    assert found.runs == 9
    assert [(r.what, r.recorded, r.simulated, r.same) for r in found.replay if not r.exact] == []
    counted = {r.what: r.recorded for r in found.replay}
    assert counted["messages"] >= 30
    assert counted["tasks"] >= 2
    assert counted["enrolments"] >= 30


def test_nothing_is_written_or_sent(replay: tuple[Simulation, dict[str, str], dict[str, str]]) -> None:
    found, before, after = replay
    assert found.real.messages > 0
    assert after == before
    assert any(name.startswith("outbox") for name in before)


def test_every_part_of_the_strategy_was_played(replay: tuple[Simulation, dict[str, str], dict[str, str]]) -> None:
    real = replay[0].real
    assert {step.step for step in real.steps if step.done} >= {"offer", "breathe", "clicked", "remind", "listen"}
    reasons = {reason.reason for step in real.steps for reason in step.reasons}
    assert {"outside window", "duplicate address", "unsubscribed"} <= reasons
    assert real.control and real.finished
