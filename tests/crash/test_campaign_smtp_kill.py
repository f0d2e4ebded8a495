"""A campaign through a real SMTP server, with the server and the runner killed -9 again and again.

What the server keeps is the witness: nobody in it twice, and everybody in it or listed as unknown or planned.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sfactl_sender_smtp  # noqa: F401  the plugin must be installed

from sfactl.campaigns.dispatch import BATCH
from sfactl.testkit import Commands, Running, SmtpSink
from sfactl.workspace.verify import verify

from . import campaign_world as world

pytestmark = pytest.mark.crash

LEADS = 1000
FEW = 200
KILLS = max(8, int(os.environ.get("SFACTL_KILLS", "0")))
PATIENCE_S = 120


class Sink(SmtpSink):
    """The server and what is known of its folder without reading every message."""

    def count(self) -> int:
        return sum(1 for _ in self.folder.glob("*.eml"))

    def times(self) -> Counter[str]:
        """How often each address was delivered to."""
        return Counter(address for d in self.delivered() for address in d.recipients)


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink(tmp_path / "delivered") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, sink: Sink, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "acme"
    settings = (
        f'use = "smtp"\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "none"\nretry_after_s = 0.2\ntimeout_s = 20\n'
    )
    world.make(path, leads=LEADS if "killed" in request.node.name else FEW, sender=settings)
    return path


@pytest.fixture(scope="module")
def sfactl() -> Iterator[Commands]:
    with Commands(["sfactl_sender_smtp.sender"]) as commands:
        yield commands


def command(folder: Path, *args: str) -> tuple[str | Path, ...]:
    return ("-q", "-w", folder, "campaign", *args, "--format", "json")


def plan(sfactl: Commands, folder: Path) -> dict[str, object]:
    done = sfactl.run(*command(folder, "plan", "spring"))
    assert done.code == 0, done.err
    answer: dict[str, object] = done.result
    return answer


def until(condition: Callable[[], bool], runner: Running) -> None:
    """Wait for the server to take more; time decides nothing but that a hang is a failure."""
    end = time.monotonic() + PATIENCE_S
    while not condition() and runner.at_work:
        assert time.monotonic() < end, "no progress"
        time.sleep(0.01)


def outcomes(folder: Path, leads: int = LEADS) -> tuple[set[str], set[str], set[str]]:
    """Addresses that sfactl says were accepted, are unknown, and are still planned."""
    with world.opened(folder) as session, session.query() as query:
        assert not verify(session.workspace).problems
        accepted = [r[0] for r in query.rows("select recipient from messages where state = 'accepted'")]
        touched = query.rows("select count(*) from touchpoints where kind = 'email_sent'")
        assert touched == [(len(accepted),)]
        assert len(set(accepted)) == len(accepted)
        held = {r.meta["recipient"]: r.state for r in session.ledger.rows()}
        known = set(accepted) | set(held)
        everybody = {f"u{n}@example.com" for n in range(1, leads + 1)}
        unknown = {a for a, state in held.items() if state in ("unknown", "sending")}
        planned = everybody - known | {a for a, state in held.items() if state == "planned"}
        in_ledger = {a for a, state in held.items() if state == "accepted"}
    return set(accepted) | in_ledger, unknown, planned


def test_server_and_runner_are_killed(folder: Path, sink: Sink, sfactl: Commands) -> None:
    chance = random.Random(20261121)
    plan_id = str(plan(sfactl, folder)["plan_id"])
    runner_kills = server_kills = 0
    code = None
    for turn in range(KILLS):
        runner = sfactl.start(*command(folder, "apply", plan_id))
        if turn % 4 == 3:
            # Before, at, or after the first message: whenever this moment falls.
            time.sleep(chance.uniform(0, 1))
        else:
            target = sink.count() + chance.randint(1, 2 * LEADS // (3 * KILLS))
            until(lambda target=target: sink.count() >= target, runner)  # type: ignore[misc]
        if turn % 2:
            sink.stop()
            server_kills += 1
            if turn % 4 == 1:
                sink.start()
                target = sink.count() + 30
                until(lambda target=target: sink.count() >= target, runner)  # type: ignore[misc]
        runner_kills += runner.kill().code < 0
        if turn % 4 == 3:
            sink.start()
    assert runner_kills >= KILLS // 2

    for _ in range(10):
        done = sfactl.run(*command(folder, "apply", plan_id))
        code = done.code
        if done.result["nothing"] or done.result["state"] == "applied":
            break
    accepted, unknown, planned = outcomes(folder)
    delivered = sink.times()
    everybody = {f"u{n}@example.com" for n in range(1, LEADS + 1)}
    assert set(delivered.values()) == {1}
    assert accepted <= set(delivered)
    assert set(delivered) <= accepted | unknown
    assert accepted | unknown | planned == everybody
    assert not planned
    assert len(unknown) <= BATCH * (runner_kills + server_kills)
    assert code in (0, 3)
    assert plan(sfactl, folder)["sends"] == 0


def test_two_runners_at_once(folder: Path, sink: Sink, sfactl: Commands) -> None:
    plan_id = str(plan(sfactl, folder)["plan_id"])
    runners = [sfactl.start(*command(folder, "apply", plan_id)) for _ in range(2)]
    said = [runner.wait() for runner in runners]
    codes = sorted(answer.code for answer in said)
    assert codes in ([0, 0], [0, 1]), said
    if codes == [0, 1]:
        assert "another run is at work" in "".join(answer.err + answer.out for answer in said)
    delivered = sink.times()
    assert set(delivered.values()) == {1}
    assert len(delivered) == FEW
    assert outcomes(folder, FEW)[1:] == (set(), set())
