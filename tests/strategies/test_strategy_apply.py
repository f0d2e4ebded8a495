"""Plans are applied exactly, once, and only as approved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from sfactl.api.errors import Conflict, LockBusy, PolicyError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.usecases import delivery
from sfactl.strategies import usecases
from sfactl.strategies.usecases import applying
from sfactl.strategies.usecases.scene import scope_of

from .conftest import HEAD, TASK, TOUCH, WAIT, Acme


def test_a_customer_goes_the_whole_way(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TOUCH, WAIT, TASK)
    first = acme.run()
    assert (first.accepted, first.settled, first.enters) == (1, 1, 1)
    assert acme.outbox() == ["u1@example.com"]
    assert acme.standing() == {1: ("breathe", "active", None)}
    waiting = acme.plan()
    assert (waiting.effects, waiting.moves, waiting.inside) == (0, 0, 1)
    second = acme.run(days=3)
    assert (second.tasks, second.accepted) == (1, 0)
    assert acme.standing() == {1: ("call", "finished", "finished")}
    assert acme.select("select kind, title, owner, state, campaign, step from tasks") == [
        ("call", "Call them", "amy", "open", "winback", "call")
    ]
    third = acme.run(days=400)
    assert third.moves == 0
    assert acme.outbox() == ["u1@example.com"]
    log = acme.select('select step, what, detail, to_step from enrolment_events order by "at", event_id')
    assert log == [
        ("entry", "entered", "", "offer"),
        ("offer", "sent", "accepted", "breathe"),
        ("breathe", "moved", "3 days are over", "call"),
        ("call", "made", "amy", "end"),
    ]


def test_a_dry_run_does_nothing_and_a_plan_is_applied_once(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.strategy(TOUCH, WAIT)
    made = acme.plan()
    with acme.session(dry_run=True) as session:
        said = usecases.apply(session, made.plan_id)
    assert (said.ready, said.enters, said.accepted) == (2, 2, 0)
    assert (acme.outbox(), acme.standing()) == ([], {})
    acme.apply(made.plan_id)
    assert acme.apply(made.plan_id).nothing
    assert len(acme.outbox()) == 2


def test_what_moved_since_the_plan_stops_it_and_is_named(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.strategy(TOUCH, WAIT)
    made = acme.plan()
    acme.leads(2, email="new@example.com")
    acme.leads(3)
    with pytest.raises(Conflict) as stopped:
        acme.apply(made.plan_id)
    assert "2 leads differ (lead 2, lead 3)" in stopped.value.message
    assert stopped.value.exit_code == 5
    assert acme.outbox() == []
    assert acme.standing() == {}
    with acme.session() as session:
        found = usecases.difference(session, made.plan_id)
    assert found.column("lead_id").to_pylist() == [2, 3, 3]


def test_neither_time_nor_data_without_a_part_in_it_stop_it(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TOUCH, WAIT)
    made = acme.plan()
    acme.clock.advance(timedelta(minutes=10))
    acme.leads(9, status="lost")
    assert acme.plan().plan_id == made.plan_id
    assert acme.apply(made.plan_id).accepted == 1


@pytest.mark.parametrize("edited", ["strategies/winback.toml", "templates/hello.toml"])
def test_files_that_changed_stop_it(acme: Acme, edited: str) -> None:
    acme.leads(1)
    acme.strategy(TOUCH, WAIT)
    made = acme.plan()
    path = acme.folder / edited
    path.write_text(path.read_text().replace("3 days", "4 days").replace("Dear", "Dearest"))
    with pytest.raises(Conflict, match="the files of strategy winback changed"):
        acme.apply(made.plan_id)


def test_an_approval_is_for_one_plan_and_its_size(acme: Acme) -> None:
    acme.leads(1, 2, 3)
    acme.strategy(TOUCH, WAIT, head=HEAD.replace("owner", "approve_above = 2\nowner"))
    made = acme.plan()
    assert made.needs_approval
    with pytest.raises(PolicyError, match="has 3 effects, more than 2"):
        acme.apply(made.plan_id)
    with acme.session(actor="boss") as session:
        with pytest.raises(PolicyError, match="has 3 effects, not 2"):
            usecases.approve(session, made.plan_id[:6], effects=2)
        usecases.approve(session, made.plan_id[:6], effects=3)
    acme.leads(4)
    other = acme.plan()
    assert other.needs_approval
    assert other.plan_id != made.plan_id
    with pytest.raises(Conflict):
        acme.apply(made.plan_id)
    assert acme.outbox() == []


@pytest.mark.parametrize(
    ("header", "said"),
    [('state = "draft"', "is a draft"), ("max_effects = 1", "2 effects are more than max_effects = 1")],
)
def test_what_can_never_be_applied(acme: Acme, header: str, said: str) -> None:
    acme.leads(1, 2)
    acme.strategy(TOUCH, head=HEAD.replace("owner", f"{header}\nowner"))
    made = acme.plan()
    assert said in made.obstacles[0]
    with pytest.raises(PolicyError, match=said):
        acme.apply(made.plan_id)


def test_two_runners_at_once(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(TOUCH)
    made = acme.plan()
    with acme.session() as session, session.ledger.lease(scope_of("winback"), run_id="other"), pytest.raises(LockBusy):
        acme.apply(made.plan_id)
    assert acme.apply(made.plan_id).accepted == 1


def test_who_is_inside_finishes_the_version_it_began_with(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy(WAIT, TASK)
    acme.run()
    acme.strategy(WAIT.replace("3 days", "1 day"), TASK.replace("Call them", "Visit them"))
    acme.leads(2)
    acme.run(days=1)
    assert acme.standing()[1] == ("breathe", "active", None)
    acme.run(days=1)
    acme.run(days=1)
    assert acme.select("select lead_id, title from tasks order by lead_id") == [(1, "Call them"), (2, "Visit them")]
    assert acme.select("select number from strategy_versions order by 1") == [(1,), (2,)]


def test_coming_again_gets_a_new_task_of_its_own(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy('[entry]\nagain = "2 days"\n', TASK)
    acme.run()
    assert acme.run(days=1).enters == 0
    assert acme.run(days=1).enters == 1
    assert acme.select("select count(*), count(distinct task_id), count(distinct lead_id) from tasks") == [(2, 2, 1)]
    assert acme.select("select rotation, state from enrolments order by 1") == [(1, "finished"), (2, "finished")]


def test_a_push_tells_every_order_once(acme: Acme) -> None:
    push = '[[steps]]\nname = "tell"\naction = "push"\nfeed = "marketing"\nwhat = "orders"\n'
    acme.leads(1)
    acme.rows("orders", {"order_id": 7, "lead_id": 1, "at": acme.clock.now(), "status": "paid", "amount": 250})
    acme.strategy('[entry]\nagain = "1 day"\n', push)
    assert acme.run().pushes == 1
    assert acme.run(days=2).pushes == 0
    acme.rows("orders", {"order_id": 8, "lead_id": 1, "at": acme.clock.now(), "status": "open", "amount": 50})
    assert acme.run(days=2).pushes == 1
    assert acme.select("select order_id, amount, what from feeds order by 1") == [(7, 250, "order"), (8, 50, "order")]


def test_a_window_holds_a_message_back_until_it_opens(acme: Acme) -> None:
    acme.leads(1)
    acme.strategy('[touch.window]\ndays = ["mon"]\n', TOUCH, WAIT)
    made = acme.plan()
    assert [(c.action, c.reason) for c in made.counts] == [("enter", ""), ("wait", "outside window")]
    acme.apply(made.plan_id)
    assert acme.standing() == {1: ("offer", "active", None)}
    assert acme.outbox() == []
    acme.run(days=3)
    assert acme.outbox() == ["u1@example.com"]


def test_an_edited_segment_or_header_stops_it_too(acme: Acme) -> None:
    acme.leads(1, 2)
    acme.leads(3, company="Rival")
    acme.write("segments/never.toml", "schema = 1\nwhere = \"company = 'Rival'\"\n")
    acme.strategy(TOUCH, WAIT, head=HEAD.replace("owner", 'blacklist = "never"\nowner'))
    made = acme.plan()
    acme.write("segments/never.toml", "schema = 1\nwhere = \"company = 'Rival' or lead_id = 1\"\n")
    with pytest.raises(Conflict, match=r"the files changed since this plan: 1 lead differs \(lead 1\)"):
        acme.apply(made.plan_id)


def test_who_is_blacklisted_while_messages_leave_gets_none(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.leads(1, 2)
    acme.write("segments/never.toml", "schema = 1\nwhere = \"company = 'Rival'\"\n")
    acme.strategy(TOUCH, WAIT, head=HEAD.replace("owner", 'blacklist = "never"\nowner'))
    made = acme.plan()
    begin = applying._Run._begin

    def begun(run: applying._Run) -> dict[str, int]:
        done = begin(run)
        acme.leads(2, company="Rival")
        return done

    monkeypatch.setattr(applying._Run, "_begin", begun)
    result = acme.apply(made.plan_id)
    assert [(r.reason, r.messages) for r in result.blocked] == [("blacklisted", 1)]
    assert acme.outbox() == ["u1@example.com"]
    acme.run(days=1)
    assert acme.standing()[2] == ("offer", "exit", "blacklisted")


class Unsure:
    """A sender that never knows whether a message arrived."""

    def check(self) -> CheckReport:
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        for message in messages:
            yield Receipt(key=message.key, outcome="unknown", detail="the line went dead")

    def close(self) -> None: ...


def test_an_unknown_outcome_is_held_until_somebody_knows(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.leads(1)
    acme.strategy(TOUCH, WAIT)
    forgetful = TouchpointSenderOffer(name="unsure", summary="", target="nowhere:Nothing")
    monkeypatch.setattr(applying, "make_sender", lambda session, files: Unsure())
    monkeypatch.setattr(delivery, "sender_offer", lambda session, files: forgetful)
    assert acme.run().unknown == 1
    held = acme.plan()
    assert [(c.step, c.action, c.reason) for c in held.counts] == [("offer", "hold", "unknown outcome")]
    assert acme.standing() == {1: ("offer", "active", None)}
    with acme.session() as session:
        [row] = session.ledger.rows(state="unknown")
        session.ledger.resolve(row.key, "accepted", "the customer said so")
    acme.run()
    assert acme.standing() == {1: ("breathe", "active", None)}
