"""A touch that only a person can carry out: the customer stays at the step until the task is done or dropped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

RING = '[[steps]]\nname = "ring"\naction = "touch"\ntemplate = "hello"\nchannel = "phone"\n'
WAIT = '[[steps]]\nname = "breathe"\naction = "wait"\nfor = "3 days"\n'


@pytest.mark.parametrize("state", ["done", "dropped"])
def test_the_customer_moves_on_with_the_task(acme: Any, state: str) -> None:
    acme.leads(1, phone="+886912345678")
    acme.strategy(RING, WAIT)
    result = acme.run()
    assert (result.accepted, result.handed) == (0, 1)
    assert acme.standing() == {1: ("ring", "active", None)}
    acme.clock.advance(timedelta(hours=3))
    assert [(c.step, c.action, c.reason) for c in acme.plan().counts] == [("ring", "hold", "with a person")]
    with acme.session() as session, session.query() as query:
        [task] = query.table("select * from tasks").to_pylist()
    assert (task["kind"], task["title"]) == ("call", "Hi N1")
    acme.rows("tasks", {**task, "state": state, "done_at": acme.clock.now()})
    acme.run()
    assert acme.standing() == {1: ("breathe", "active", None)}
    assert acme.select("select count(*) from tasks") == [(1,)]
