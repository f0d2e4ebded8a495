"""Effects are claimed once, and what is uncertain is held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sfactl.api.errors import Conflict, LockBusy, NotFound
from sfactl.api.records import Receipt
from sfactl.session import FixedClock, Session
from sfactl.workspace import Effect


def message(key: str, **meta: object) -> Effect:
    return Effect(key=key, kind="message", payload_hash="h", meta={"campaign": "c", "step": "s", "lead_id": 1, **meta})


def states(session: Session) -> dict[str, str]:
    return {r.key: r.state for r in session.ledger.rows()}


def test_a_claimed_effect_is_durable_before_it_is_answered(
    session: Session, open_again: Callable[..., Session]
) -> None:
    with session.ledger.lease("campaign:c", run_id="1") as lease:
        assert lease.claim([message("a"), message("b")]) == ["a", "b"]
        assert states(open_again()) == {"a": "sending", "b": "sending"}
        assert lease.claim([message("a"), message("c")]) == ["c"]
        lease.settle([Receipt(key="a", outcome="accepted"), Receipt(key="b", outcome="refused", detail="550")])
    assert states(session) == {"a": "accepted", "b": "refused", "c": "sending"}


def test_what_a_dead_runner_left_is_unknown_and_not_claimed_again(session: Session) -> None:
    with session.ledger.lease("campaign:c", run_id="1") as lease:
        lease.claim([message("a")])
    with session.ledger.lease("campaign:c", run_id="2") as lease:
        assert states(session) == {"a": "unknown"}
        assert lease.claim([message("a"), message("b")]) == ["b"]
    session.ledger.resolve("a", "retry_after", "the log of the server does not know it")
    with session.ledger.lease("campaign:c", run_id="3") as lease:
        assert lease.claim([message("a")]) == ["a"]
    with pytest.raises(NotFound, match="no effect with key 'zz' is unknown"):
        session.ledger.resolve("zz", "accepted", "")


def test_retry_after_waits(session: Session, clock: FixedClock) -> None:
    with session.ledger.lease("campaign:c", run_id="1") as lease:
        lease.claim([message("a")])
        lease.settle([Receipt(key="a", outcome="retry_after", retry_after_s=60)])
        assert lease.claim([message("a")]) == []
        clock.advance(timedelta(seconds=61))
        assert lease.claim([message("a")]) == ["a"]
    assert session.ledger.rows()[0].attempts == 2


def test_folded_messages_are_never_claimed_again(session: Session) -> None:
    with session.ledger.lease("campaign:c", run_id="1") as lease:
        lease.claim([message("a"), message("b"), message("c")])
        lease.settle([Receipt(key="a", outcome="accepted", provider_id="p1"), Receipt(key="b", outcome="refused")])
        with session.write() as tx:
            assert tx.settle("campaign:c") == 2
            tx.commit()
        assert states(session) == {"c": "sending"}
        assert lease.claim([message("a"), message("b")]) == []
    with session.query() as q:
        rows = q.rows("select message_key, state, provider_id, campaign, lead_id from messages order by message_key")
    assert rows == [("a", "accepted", "p1", "c", 1), ("b", "refused", "", "c", 1)]


def test_one_runner_a_scope(session: Session, open_again: Callable[..., Session]) -> None:
    other = open_again()
    with session.ledger.lease("campaign:c", run_id="1"):
        with pytest.raises(LockBusy, match="another run is at work on campaign:c"):
            with other.ledger.lease("campaign:c", run_id="2"):
                pass
        with other.ledger.lease("campaign:d", run_id="2"):
            pass


def test_a_runner_that_was_taken_over_is_fenced_off(session: Session) -> None:
    with session.ledger.lease("campaign:c", run_id="1") as late:
        late.claim([message("a")])
    with session.ledger.lease("campaign:c", run_id="2") as lease:
        with pytest.raises(Conflict, match="taken over"):
            late.claim([message("b")])
        with pytest.raises(Conflict, match="taken over"):
            late.settle([Receipt(key="a", outcome="accepted")])
        assert lease.claim([message("b")]) == ["b"]
