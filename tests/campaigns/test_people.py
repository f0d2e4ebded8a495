"""Messages that people carry out: each becomes one task, whatever interrupts, and counts when the task is done."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, PersonTask, Receipt
from sfactl.campaigns import usecases
from sfactl.campaigns.senders import by_channel
from sfactl.campaigns.usecases import applying, delivery
from sfactl.testkit import SenderSuite

SPRING = """
schema = 1
summary = "Spring"
where = "status = 'new'"
sender = "outbox"
from = "Acme <news@acme.example>"

[[steps]]
name = "invite"
template = "invite"

[[steps]]
name = "call"
template = "invite"
channel = "phone"

[[steps]]
name = "thanks"
template = "invite"
after = { step = "call", wait = "1 day" }
"""


@pytest.fixture
def spring(acme: Any) -> Any:
    acme.write("campaigns/spring.toml", SPRING)
    acme.leads(
        {"lead_id": 1, "phone": "+886912345678", "owner": "mei"},
        {"lead_id": 2, "phone": "+886911111111"},
        {"lead_id": 3, "phone": None},
    )
    return acme


def tasks(acme: Any) -> list[dict[str, Any]]:
    with acme.session() as session, session.query() as query:
        return query.table("select * from tasks order by lead_id").to_pylist()  # type: ignore[no-any-return]


def states(acme: Any) -> list[tuple[Any, ...]]:
    with acme.session() as session, session.query() as query:
        return query.rows("select lead_id, step, state from messages where step <> 'invite' order by all")  # type: ignore[no-any-return]


def test_a_channel_that_the_sender_does_not_speak_becomes_a_task(spring: Any) -> None:
    result = spring.run()
    assert (result.accepted, result.handed, result.unknown, result.left) == (3, 2, 0, 0)
    assert set(spring.outbox()) == {"u1@example.com", "u2@example.com", "u3@example.com"}
    first, second = tasks(spring)
    assert (first["kind"], first["title"], first["owner"], first["state"]) == ("call", "Hi N1", "mei", "open")
    assert first["content"] == "Dear N1\n\nphone: +886912345678"
    assert (second["owner"], second["step"], second["due_at"]) == (None, "call", spring.clock.now() + timedelta(days=1))
    assert states(spring) == [(1, "call", "handed"), (2, "call", "handed")]
    with spring.session() as session, session.query() as query:
        assert query.rows("select count(*) from touchpoints where channel = 'phone'") == [(0,)]


def test_a_second_run_makes_none_again(spring: Any) -> None:
    spring.run()
    made = tasks(spring)
    verdicts = spring.verdicts(spring.plan())
    assert verdicts[1, "call"] == verdicts[2, "call"] == "hold: with a person"
    spring.run()
    assert tasks(spring) == made


def test_what_comes_after_waits_until_the_task_is_done(spring: Any) -> None:
    spring.run()
    assert (1, "thanks") not in spring.verdicts(spring.plan())
    done, dropped = tasks(spring)
    now = spring.clock.now()
    spring.rows("tasks", [{**done, "state": "done", "done_at": now}, {**dropped, "state": "dropped", "done_at": now}])
    spring.clock.advance(timedelta(days=1, minutes=1))
    verdicts = spring.verdicts(spring.plan())
    assert (verdicts[1, "call"], verdicts[1, "thanks"]) == ("skip: already sent", "send")
    assert verdicts[2, "call"] == "skip: dropped by a person"
    assert (2, "thanks") not in verdicts


def test_a_run_that_dies_between_task_and_ledger_makes_it_once(spring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is made in the commit that settles the message: what was claimed and not settled is tried again."""
    plan = spring.plan().plan_id

    class Killed(BaseException):
        """The process is gone."""

    def die(*_: object) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(by_channel.ByChannel, "send", die)
        with pytest.raises(Killed):
            spring.apply(plan)
    assert tasks(spring) == []
    with spring.session() as session:
        held = [r.key for r in session.ledger.rows() if r.state in ("sending", "unknown")]
        assert held
        usecases.resume(session, plan)
    assert [t["lead_id"] for t in tasks(spring)] == [1, 2]
    assert len(spring.outbox()) == 3


def test_a_file_says_whose_task_it_is_and_by_when(spring: Any) -> None:
    spring.write("senders/desk.toml", 'schema = 1\nuse = "person"\nowner = "desk"\ndue_hours = 4\n')
    spring.run()
    assert {t["owner"] for t in tasks(spring)} == {"desk"}
    assert {t["due_at"] for t in tasks(spring)} == {spring.clock.now() + timedelta(hours=4)}


def test_check_names_what_people_will_have_to_send(spring: Any) -> None:
    spring.write("campaigns/spring.toml", SPRING.replace('"phone"', '"sms"'))
    with spring.session() as session:
        found = [f.message for f in usecases.check(session, ("spring",))]
    assert "sender outbox sends email: each message by sms becomes a task for a person" in found


class TestPersonSender(SenderSuite):
    """The suite; what reached the receiver are the tasks, each key once as the core keeps them."""

    plugin = "sfactl.campaigns.plugin"
    offer = "person"

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        self.made: dict[str, PersonTask] = {}
        return {}

    def delivered(self) -> Sequence[str]:
        return [f"{key} {task.title}" for key, task in self.made.items()]

    def _send(self, sender: Any, messages: Any) -> list[Receipt]:
        receipts = super()._send(sender, messages)
        self.made |= {r.key: r.task for r in receipts if r.task is not None}
        return receipts

    @pytest.mark.parametrize(
        ("channel", "kind"), [("phone", "call"), ("visit", "visit"), ("line", "follow_up")], ids=str
    )
    def test_kinds(self, make: Any, channel: str, kind: str) -> None:
        self._send(make(), [self.message(1, channel=channel)])
        assert [t.kind for t in self.made.values()] == [kind]

    def test_a_task_is_not_due_before_it_is_made(self, make: Any) -> None:
        with pytest.raises(Exception, match="in the past"):
            make(due_hours=-1)


@pytest.mark.parametrize(
    ("channel", "third"), [("line", None), ("slack", "u3@example.com"), ("dingtalk", "+886912345678")]
)
def test_a_person_is_written_to_by_the_id_that_the_channel_knows(spring: Any, channel: str, third: str | None) -> None:
    """The namespace of an id is the channel: the lead's own goes first, then one from a merge; then e-mail or phone,
    by which Slack finds a person and LINE does not."""
    mine, merged = "U" + "0" * 32, "U" + "1" * 32
    spring.write("campaigns/spring.toml", SPRING.replace('channel = "phone"', f'channel = "{channel}"'))
    spring.write("senders/outbox.toml", 'schema = 1\nuse = "file"\n')
    spring.leads(
        {"lead_id": 1, "external_id": mine, "id_namespace": channel},
        {"lead_id": 2, "external_id": "C-2", "id_namespace": "crm"},
        {"lead_id": 3, "phone": "+886912345678"},
    )
    spring.rows("identities", [{"kind": "external_id", "namespace": channel, "value": merged, "lead_id": 2}])
    with spring.session() as session:
        shown = {p.step: p.recipient for p in usecases.preview(session, "spring", 1)}
    assert shown["call"] == mine
    spring.run()
    sent = [json.loads(p.read_text()) for p in (spring.folder / "outbox" / "new").glob("*.json")]
    expected = {1: mine, 2: merged, 3: third}
    reached = {lead: to for lead, to in expected.items() if to}
    assert {m["lead_id"]: m["recipient"] for m in sent if m["channel"] == channel} == reached


def test_unknown_messages_are_sent_again_only_while_the_receiver_remembers_them(
    spring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forgetful:
        """A receiver that takes a key once within a day, and whose first answers are lost."""

        remembers_s = 86_400.0
        answer = "unknown"

        def check(self) -> CheckReport:
            return CheckReport()

        def send(self, messages: Any) -> Any:
            return [Receipt(key=m.key, outcome=self.answer) for m in messages]  # type: ignore[arg-type]

        def close(self) -> None: ...

    sender = Forgetful()
    offer = TouchpointSenderOffer(name="x", summary="", target="nowhere:X", channel="any")
    monkeypatch.setattr(applying, "make_sender", lambda *_: sender)
    monkeypatch.setattr(delivery, "sender_offer", lambda *_: offer)
    plan = spring.plan().plan_id
    assert spring.apply(plan).unknown == 5
    sender.answer = "accepted"
    spring.clock.advance(timedelta(hours=23, minutes=55))
    with spring.session() as session:
        assert usecases.resume(session, plan).accepted == 0, "too close to the end of its memory"
    spring.clock.advance(-timedelta(hours=1))
    with spring.session() as session:
        assert usecases.resume(session, plan).accepted == 5
