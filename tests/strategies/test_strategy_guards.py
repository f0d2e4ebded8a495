"""What ends a strategy by itself as it ends a campaign: a plan that is too old, and too much that comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from sfactl.api.errors import Conflict, PolicyError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.usecases import delivery
from sfactl.strategies import usecases
from sfactl.strategies.usecases import applying

from .conftest import HEAD, TOUCH, Acme

LATE = {
    "ask": ('max_age = "1 hour"', False, "5 hours old, older than max_age = 1 hour"),
    "skip": ('max_age = "1 hour"\nmisfire = "skip"', True, "(misfire = skip)"),
    "ended": ("expires_at = 2026-11-20T12:00:00", True, "the strategy ended on 2026-11-20 04:00"),
    "run": ('max_age = "1 hour"\nmisfire = "run"', False, ""),
}


def test_a_plan_that_is_applied_late(acme: Acme) -> None:
    """Five hours late it says so, moves nobody and writes to nobody, unless its file or a person allows it."""
    acme.leads(1, 2)
    for name, (keys, _, _) in LATE.items():
        acme.strategy(TOUCH, name=name, head=HEAD.replace("owner", f"{keys}\nowner"))
    plans = {name: acme.plan(name).plan_id for name in LATE}
    acme.clock.advance(timedelta(hours=5))
    with acme.session() as session:
        for name, (_, late, said) in LATE.items():
            if said:
                with pytest.raises(PolicyError) as stopped:
                    usecases.apply(session, plans[name], late=late)
                assert said in stopped.value.message
    assert (acme.outbox(), acme.standing()) == ([], {})
    with acme.session() as session:
        assert usecases.apply(session, plans["run"]).accepted == 2
        assert usecases.apply(session, plans["ask"], late=True).accepted == 2


class Picky:
    """Refuses every second message; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()

    def check(self) -> CheckReport:
        """Answer that all is well."""
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Refuse the even leads."""
        for message in messages:
            self.asked[message.recipient] += 1
            yield Receipt(key=message.key, outcome="refused" if message.lead_id % 2 == 0 else "accepted")

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def picky(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> Picky:
    """A strategy for sixty leads, whose sender refuses every second message and may not be refused that often."""
    made = Picky()
    offer = TouchpointSenderOffer(name="picky", summary="", target="nowhere:Nothing")
    monkeypatch.setattr(applying, "make_sender", lambda session, files: made)
    monkeypatch.setattr(delivery, "sender_offer", lambda session, files: offer)
    acme.write("senders/outbox.toml", 'schema = 1\nuse = "maildir"\nstop = { after = 20, bounces = 10 }\n')
    acme.leads(*range(1, 61))
    acme.strategy(TOUCH)
    return made


def test_refusals_stop_the_run_and_an_override_lets_it_go_on(acme: Acme, picky: Picky) -> None:
    """Who lets it go on is kept with the reason; nobody is tried twice, and what came back before counts no longer."""
    plan = acme.plan().plan_id
    stopped = acme.apply(plan)
    assert (stopped.accepted, stopped.refused, stopped.left) == (10, 10, 40)
    assert "50.0 % of 20 messages came back, more than 10 % (bounces)" in stopped.stopped
    assert "--override" in acme.plan().obstacles[0]
    with acme.session() as session, pytest.raises(PolicyError, match=r"50\.0 % of 20 messages came back"):
        usecases.resume(session, plan)
    with acme.session() as session:
        again = usecases.resume(session, plan, override="one closed company")
        kept = session.workspace.cursor("campaign.winback.override")
    assert kept is not None
    assert (kept["by"], kept["reason"]) == ("mei", "one closed company")
    assert (again.accepted + again.refused, again.left) == (20, 20)
    assert max(picky.asked.values()) == 1


def test_what_messages_carry_of_the_workspace_is_part_of_the_plan(acme: Acme) -> None:
    """A changed address is another letter."""
    settings = 'schema = 1\n[workspace]\nname = "Acme"\ntime_zone = "Asia/Taipei"\naddress = "{}"\n'
    acme.write("sfactl.toml", settings.format("1 Laser Road"))
    acme.write("templates/hello.toml", 'schema = 1\nsubject = "Hi"\ntext = "{{ workspace.address }}"\n')
    acme.leads(1)
    acme.strategy(TOUCH)
    made = acme.plan()
    acme.write("sfactl.toml", settings.format("2 Laser Road"))
    with pytest.raises(Conflict, match="carry of the workspace"):
        acme.apply(made.plan_id)
    assert acme.outbox() == []


SPLIT = """
[[steps]]
name = "try"
action = "split"
arms = [{ name = "a", share = 50, next = "short" }, { name = "b", share = 50, next = "long" }]
[[steps]]
name = "short"
action = "touch"
template = "hello"
next = "end"
[[steps]]
name = "long"
action = "touch"
template = "hello"
"""


def test_nobody_gets_two_variants_of_one_mail(acme: Acme) -> None:
    """However often it runs, and whatever the shares become: who got one has had the mail."""
    acme.leads(*range(1, 21))
    acme.strategy(SPLIT)
    acme.run()
    assert sorted(Counter(acme.outbox()).values()) == [1] * 20
    assert acme.select("select count(distinct step) from messages") == [(2,)]
    acme.strategy(SPLIT.replace("share = 50", "share = 10", 1).replace("share = 50", "share = 90"))
    assert acme.run(days=1).accepted == 0
