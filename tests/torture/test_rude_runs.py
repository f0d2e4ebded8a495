"""Whole runs against servers of bad manners: everybody is accounted for, and what arrived arrived once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from sfactl.api.errors import TryLater
from sfactl.campaigns import usecases
from sfactl.testkit import Manner, RudeServer
from tests.crash import campaign_world as world

LEADS = 30
SENDER = 'use = "smtp"\nhost = "127.0.0.1"\nport = {}\ntls = "none"\nretry_after_s = 0.01\ntimeout_s = 0.5\n{}'
QUICK = "answer_timeout_s = 0.3\n"


@pytest.mark.parametrize(
    ("manner", "more", "arrived", "unknown"),
    [
        pytest.param(Manner(at="rcpt", text="550 5.1.1 nobody", every=2), "", 15, 0, id="bounces half"),
        pytest.param(Manner(at="mail", text="421 4.7.0 enough", sparing=7, every=8), "", 30, 0, id="eight at a time"),
        pytest.param(Manner(at="rcpt", text="451 4.7.1 later", times=LEADS), "", 30, 0, id="everybody put off once"),
        pytest.param(Manner(at="end", does="close", takes=True, every=10), "", 30, 3, id="takes and closes"),
        pytest.param(Manner(at="end", does="stall", takes=True, sparing=3, times=1), QUICK, 30, 1, id="takes and is silent"),
        pytest.param(Manner(at="connect", does="close", every=3), "connections = 3\n", 30, 0, id="hangs up now and then"),
    ],
)  # fmt: skip
def test_everybody_is_accounted_for(manner: Manner, more: str, arrived: int, unknown: int, tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    with RudeServer("smtp", manner, tmp_path / "journal") as server:
        world.make(folder, leads=LEADS, sender=SENDER.format(server.port, more))
        with world.opened(folder) as session:
            for _ in range(8):
                with suppress(TryLater):  # the sender is asked whether its server is there before anybody is claimed
                    plan = usecases.plan(session, "spring")
                    if not plan.sends:
                        break
                    usecases.apply(session, plan.plan_id)
            else:
                pytest.fail("the campaign does not come to an end")
            told = usecases.messages(session, limit=0).to_pylist()
        taken = Counter(server.taken)
    states = Counter(row["state"] for row in told)
    assert set(taken.values()) == {1}
    assert len(taken) == arrived
    assert states == Counter({"accepted": arrived - unknown, "unknown": unknown, "refused": LEADS - arrived})
    assert {row["recipient"] for row in told if row["state"] == "accepted"} <= set(taken)
    assert not {row["recipient"] for row in told if row["state"] == "refused"} & set(taken)
