"""A simulation asks the same gate: topics, caps of the workspace and what people said by then."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sfactl.simulation.usecases import Asked, people

from .conftest import Life

DAY = timedelta(days=1)
SETTINGS = """schema = 1
[workspace]
name = "Acme"
time_zone = "Asia/Taipei"
[topics.news]
[topics.fairs]
[[touch.caps]]
messages = 1
within = "20 days"
"""
STRATEGY = """schema = 1
summary = "News"
owner = "amy"
where = "status = 'new'"
[touch]
sender = "outbox"
from = "Acme <news@acme.example>"
topic = "news"
[[steps]]
name = "rest"
action = "wait"
for = "2 days"
[[steps]]
name = "issue"
action = "touch"
template = "hello"
"""


@pytest.mark.parametrize("history", ["known", "happened"])
def test_a_simulation_heeds_topics_and_the_workspace_s_caps(tmp_path: Path, history: str) -> None:
    life = Life(tmp_path / "acme")
    life.write("sfactl.toml", SETTINGS)
    life.write("strategies/winback.toml", STRATEGY)
    life.rows("leads", *(life.lead(n) for n in (1, 2, 3, 4, 5)))
    life.clock.advance(DAY)
    life.rows(
        "touchpoints",
        life.event(1, "unsubscribe", 1, topic="news"),
        life.event(2, "unsubscribe", 2, topic="fairs"),
        life.event(3, "unsubscribe", 3),
    )
    message = {"message_key": "w.other.x.4.1", "campaign": "other", "step": "x", "lead_id": 4, "channel": "email"}
    life.rows("messages", message | {"at": life.clock.now(), "state": "accepted", "recipient": "u4@example.com"})
    life.clock.advance(5 * DAY)
    asked = Asked(
        name="winback", start="2026-09-07T09:00", end="2026-09-12", every="1 day", history=history, fresh=True
    )
    with life.session() as session:
        found = {row["lead_id"]: row["messages"] for row in people(session, asked).to_pylist()}
    assert found == {1: 0, 2: 1, 3: 0, 4: 0, 5: 1}
