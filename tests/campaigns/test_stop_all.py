"""The switch that stops all sending, and reaching exactly those whom an interrupted or finished plan missed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from sfactl.api.errors import Conflict, PolicyError
from sfactl.campaigns import usecases
from sfactl.campaigns.dispatch import BATCH
from sfactl.campaigns.usecases import delivery

from .conftest import Acme, Scripted, leads


def _stop(acme: Acme, reason: str = "wrong price") -> None:
    with acme.session(actor="lin") as session:
        usecases.stop(session, reason=reason)


@pytest.mark.parametrize("connections", [1, 3])
def test_a_stop_takes_effect_within_a_batch_of_each_connection(
    acme: Acme, scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    acme.write("senders/outbox.toml", f'schema = 1\nuse = "maildir"\nconnections = {connections}\n')
    first = scripted()
    others: list[Scripted] = []

    stopped = threading.Event()

    def stop(batch: int) -> None:
        if batch == 1:
            _stop(acme)
            stopped.set()

    def another(*_: object) -> Scripted:
        # The others are at their first batch while the switch is thrown, however long that takes.
        others.append(Scripted(lambda m, n: "accepted"))
        others[-1].before_batch = lambda batch: stopped.wait(30)
        return others[-1]

    monkeypatch.setattr(delivery, "new_sender", another)
    leads(acme, 400)
    plan = acme.plan()
    first.before_batch = stop
    result = acme.apply(plan.plan_id)

    assert len(others) == connections - 1
    taken = [to for sender in (first, *others) for to in sender.taken]
    assert result.accepted == len(taken) == len(set(taken)) <= 2 * connections * BATCH
    assert result.stopped == "all sending is stopped by lin: wrong price (sfactl touch start)"
    assert result.accepted + result.left == 400
    with pytest.raises(PolicyError, match="all sending is stopped by lin"):
        acme.apply(plan.plan_id)
    assert acme.plan().obstacles == ("all sending is stopped by lin: wrong price (sfactl touch start)",)

    with acme.session() as session:
        again = usecases.stop(session, reason="another")
        assert (again.changed, again.by, again.reason) == (False, "lin", "wrong price")
        assert usecases.start(session).changed
        assert not usecases.start(session).changed
    first.before_batch = lambda batch: None
    assert acme.apply(plan.plan_id).accepted == result.left
    taken = [to for sender in (first, *others) for to in sender.taken]
    assert len(taken) == len(set(taken)) == 400


def test_missing_reaches_exactly_the_complement(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    answers = {"u1@example.com": "refused", "u2@example.com": "unknown"}
    sender = scripted(lambda m, n: answers.get(m.recipient, "accepted"))
    leads(acme, 50)
    with acme.session() as session:
        usecases.suppress(session, "u3@example.com")
    plan = acme.plan()
    row = plan.plan_id
    sender.before_batch = lambda batch: _stop(acme) if batch == 1 else None
    acme.apply(row)
    with acme.session() as session:
        usecases.start(session)
        usecases.suppress(session, "u45@example.com")
        done = usecases.resume(session, row)
    assert (done.state, done.left, done.blocked[0].messages) == ("applied", 0, 1)
    with acme.session() as session:
        assert usecases.resume(session, row).accepted == 0
        usecases.unsuppress(session, "u45@example.com")
        result = usecases.resume(session, row, missing=True)
    assert (result.missing, result.accepted, result.left) == (1, 1, 0)
    with acme.session() as session:
        assert usecases.resume(session, row, missing=True).accepted == 0
    assert sorted(sender.tries.values()) == [1] * 49
    assert "u3@example.com" not in sender.tries


def test_missing_is_asked_of_the_newest_plan_only(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    def suppress(batch: int) -> None:
        with acme.session() as session:
            usecases.suppress(session, "u30@example.com")

    sender = scripted()
    leads(acme, 30)
    first = acme.plan()
    sender.before_batch = suppress
    assert acme.apply(first.plan_id).state == "applied"
    acme.clock.advance(timedelta(days=1))
    acme.leads({"lead_id": 31})
    second = acme.run()
    with acme.session() as session:
        usecases.unsuppress(session, "u30@example.com")
        with pytest.raises(Conflict, match=f"{second.plan_id[:6]} was begun since"):
            usecases.resume(session, first.plan_id, missing=True)
    assert "u30@example.com" not in sender.tries
