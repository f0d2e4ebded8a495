"""Strategies send through the same dispatcher: the switch for all, connections, those who were missed, dead letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import pytest

from sfactl.api.errors import PolicyError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns import usecases as messages
from sfactl.campaigns.usecases import delivery
from sfactl.strategies import usecases
from sfactl.strategies.usecases import applying

from .conftest import TASK, TOUCH, WAIT, Acme


class Post:
    """One connection; all of a test write into the same tallies."""

    tries: ClassVar[Counter[str]] = Counter()
    answer: ClassVar[Callable[[Message], str]] = staticmethod(lambda m: "accepted")
    after: ClassVar[Callable[[], None]] = staticmethod(lambda: None)

    def check(self) -> CheckReport:
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        for message in messages:
            self.tries[message.recipient] += 1
            yield Receipt(key=message.key, outcome=type(self).answer(message))  # type: ignore[arg-type]
        type(self).after()

    def close(self) -> None: ...


@pytest.fixture
def post(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> type[Post]:
    made = type("Post", (Post,), {"tries": Counter()})
    offer = TouchpointSenderOffer(name="post", summary="", target="nowhere:Nothing")
    monkeypatch.setattr(applying, "make_sender", lambda session, files: made())
    monkeypatch.setattr(delivery, "new_sender", lambda session, files: made())
    monkeypatch.setattr(delivery, "sender_offer", lambda session, files: offer)
    sender = next((acme.folder / "senders").glob("*.toml"))
    sender.write_text(sender.read_text() + "\nconnections = 2\nattempts = 1\n")
    return made


def test_the_switch_holds_strategies_and_missing_goes_on(acme: Acme, post: type[Post]) -> None:
    def stop() -> None:
        with acme.session() as session:
            messages.stop(session, reason="wrong price")
        post.after = staticmethod(lambda: None)

    acme.leads(*range(1, 91))
    acme.strategy(TOUCH, WAIT)
    plan = acme.plan().plan_id
    post.after = staticmethod(stop)
    with acme.session() as session:
        first = usecases.apply(session, plan)
    assert 20 <= first.accepted <= 80
    assert first.stopped.startswith("all sending is stopped by mei: wrong price")
    with acme.session() as session, pytest.raises(PolicyError, match="all sending is stopped"):
        usecases.resume(session, plan)
    with acme.session() as session:
        messages.start(session)
        second = usecases.resume(session, plan, missing=True)
    assert (second.missing, second.accepted, second.left) == (90 - first.accepted, 90 - first.accepted, 0)
    assert set(post.tries.values()) == {1}
    assert len(post.tries) == 90
    assert Counter(acme.standing().values()) == {("breathe", "active", None): 90}


def test_a_dead_letter_of_a_strategy_keeps_its_lead_where_it_is(acme: Acme, post: type[Post]) -> None:
    acme.leads(1, 2)
    acme.strategy(TOUCH, WAIT)
    post.answer = staticmethod(lambda m: "retry_after" if m.recipient == "u1@example.com" else "accepted")
    plan = acme.plan().plan_id
    with acme.session() as session:
        first = usecases.apply(session, plan)
    assert (first.accepted, first.dead, first.left) == (1, 1, 0)
    assert acme.standing() == {1: ("offer", "active", None), 2: ("breathe", "active", None)}
    held = acme.plan()
    assert [(c.step, c.action, c.reason) for c in held.counts if c.action == "hold"] == [("offer", "hold", "tried out")]
    post.answer = staticmethod(lambda m: "accepted")
    with acme.session() as session:
        assert messages.retry(session, campaign="winback").messages == 1
        assert usecases.resume(session, plan).accepted == 1
    assert acme.standing()[1] == ("breathe", "active", None)
    assert post.tries == {"u1@example.com": 2, "u2@example.com": 1}


def test_what_sends_nothing_goes_on_while_all_sending_is_stopped(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TASK)
    with acme.session() as session:
        messages.stop(session, reason="wrong price")
    assert acme.run().tasks == 1
