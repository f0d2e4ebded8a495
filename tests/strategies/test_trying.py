"""The messages of a strategy, shown and tried: nobody is moved, and nothing counts."""

from __future__ import annotations

import pytest

from sfactl.api.errors import NotFound, UserError
from sfactl.strategies import usecases

from .conftest import TASK, TOUCH, Acme


def test_messages_are_shown_and_tried_without_moving_anybody(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TOUCH, TASK)
    with acme.session() as session:
        [shown] = usecases.preview(session, "winback", 1)
        assert (shown.verdict, shown.recipient) == ("when the lead stands there", "u1@example.com")
        for outcome in ("accepted", None):
            [result] = usecases.send_test(session, "winback", to="me@acme.example", lead_id=1)
            [message] = result.messages
            assert message.outcome == outcome
        assert message.subject == f"[Test] {shown.subject}"
        with pytest.raises(UserError, match=r"no message of winback goes to '\+886"):
            usecases.send_test(session, "winback", to="+886900000000", lead_id=1)
        with pytest.raises(NotFound, match=r"no message at step 'nope'"):
            usecases.preview(session, "winback", 1, step="nope")
    assert acme.select("select count(*) from enrolments") == [(0,)]
    assert acme.select("select count(*) from messages") == [(0,)]


def test_a_strategy_without_messages_says_so(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TASK)
    with acme.session() as session, pytest.raises(UserError, match="sends no messages"):
        usecases.preview(session, "winback", 1)
