"""Applying a plan: exactly once each, frozen recipients, one gate again at the moment of sending."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from sfactl.api.errors import Conflict, LockBusy, NotFound, PolicyError, TryLater
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns import usecases
from sfactl.campaigns.usecases import applying, delivery
from sfactl.session import Session

from .conftest import CAMPAIGN, FRIDAY, Acme


class Scripted:
    """A sender that answers as told and remembers what it was given."""

    def __init__(self, answer: Callable[[Message, int], str | Exception]) -> None:
        self.answer = answer
        self.taken: list[str] = []
        self.tries: dict[str, int] = {}
        self.before_batch: Callable[[int], None] = lambda n: None
        self.batches = 0

    def check(self) -> CheckReport:
        return CheckReport()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        self.batches += 1
        for message in messages:
            self.tries[message.recipient] = self.tries.get(message.recipient, 0) + 1
            said = self.answer(message, self.tries[message.recipient])
            if isinstance(said, Exception):
                raise said
            if said == "accepted":
                self.taken.append(message.recipient)
            outcome, _, wait = said.partition(" ")
            yield Receipt(key=message.key, outcome=outcome, detail=f"said {outcome}", retry_after_s=float(wait or 0))  # type: ignore[arg-type]
        self.before_batch(self.batches)

    def close(self) -> None: ...


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripted]:
    """Put a scripted sender in the place of the campaign's own."""

    def use(answer: Callable[[Message, int], str | Exception] = lambda m, n: "accepted") -> Scripted:
        sender = Scripted(answer)
        monkeypatch.setattr(applying, "make_sender", lambda session, files: sender)
        forgetful = TouchpointSenderOffer(name="scripted", summary="", target="nowhere:Nothing")
        monkeypatch.setattr(delivery, "sender_offer", lambda session, files: forgetful)
        return sender

    return use


def leads(acme: Acme, count: int) -> None:
    acme.leads(*({"lead_id": n} for n in range(1, count + 1)))


def test_everybody_gets_one_message_and_a_touchpoint(acme: Acme) -> None:
    leads(acme, 45)
    result = acme.run()
    assert (result.accepted, result.refused, result.left, result.state) == (45, 0, 0, "applied")
    assert len(acme.outbox()) == 45
    with acme.session() as session, session.query() as query:
        assert query.rows("select kind, count(*), count(distinct event_id) from touchpoints group by 1") == [
            ("email_sent", 45, 45)
        ]
        assert query.rows("select state, count(distinct message_key) from messages group by 1") == [("accepted", 45)]
        assert not session.ledger.rows()


def test_an_applied_plan_does_nothing_again(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.apply(plan.plan_id)
    again = acme.apply(plan.plan_id)
    assert (again.nothing, again.accepted) == (True, 0)
    assert acme.run().accepted == 0
    assert len(acme.outbox()) == 3


def test_a_dry_run_sends_nothing(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    with acme.session(dry_run=True) as session:
        result = usecases.apply(session, plan.plan_id)
    assert (result.ready, result.accepted) == (3, 0)
    assert not acme.outbox()
    assert acme.apply(plan.plan_id).accepted == 3


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        pytest.param(lambda a: a.leads({"lead_id": 4}), "1 recipient differs (lead 4)", id="one-more"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "status": "sql"}), "(lead 2)", id="one-left"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "email": "x@example.com"}), "(lead 2)", id="address"),
        pytest.param(lambda a: a.leads({"lead_id": 2, "first_name": "Else"}), "(lead 2)", id="printed-value"),
        pytest.param(
            lambda a: a.leads({"lead_id": 2, "email": "x@example.com"}, {"lead_id": 4}),
            "2 recipients differ (lead 2, lead 4)",
            id="two",
        ),
    ],
)
def test_data_that_moved_is_refused_with_the_difference(
    acme: Acme, change: Callable[[Acme], None], differs: str
) -> None:
    leads(acme, 3)
    plan = acme.plan()
    change(acme)
    with pytest.raises(Conflict, match="the data moved since this plan") as caught:
        acme.apply(plan.plan_id)
    assert differs in caught.value.message
    assert not acme.outbox()
    with acme.session() as session:
        assert usecases.difference(session, plan.plan_id).num_rows >= 1


def test_data_that_moved_without_changing_a_message_is_no_matter(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.leads({"lead_id": 2, "note": "called"}, {"lead_id": 9, "status": "sql"})
    acme.clock.advance(timedelta(hours=1))
    assert acme.apply(plan.plan_id).accepted == 3


def test_changed_files_are_refused(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "Other"\ntext = "Other"\n')
    with pytest.raises(Conflict, match="files of campaign spring changed"):
        acme.apply(plan.plan_id)


def test_a_large_plan_needs_an_approval_of_itself(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "approve_above = 2\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    assert plan.needs_approval
    with pytest.raises(PolicyError, match="3 messages, more than 2"):
        acme.apply(plan.plan_id)
    with acme.session(actor="boss") as session:
        assert usecases.approve(session, plan.plan_id[:6]).approved_by == "boss"
    acme.leads({"lead_id": 4})
    other = acme.plan()
    assert other.needs_approval
    with pytest.raises(PolicyError):
        acme.apply(other.plan_id)
    acme.leads({"lead_id": 4, "status": "sql"})
    assert acme.apply(plan.plan_id).accepted == 3


def test_more_than_max_recipients_is_never_sent(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "max_recipients = 2\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    assert plan.obstacles
    with pytest.raises(PolicyError, match="max_recipients = 2"):
        acme.apply(plan.plan_id)


def test_a_late_run_of_an_ended_campaign_sends_nothing_and_says_so(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", "expires_at = 2026-11-20T12:00:00\nsender ="))
    leads(acme, 3)
    plan = acme.plan()
    acme.clock.advance(timedelta(hours=5))
    with pytest.raises(PolicyError, match="the campaign ended on 2026-11-20 04:00 UTC"):
        acme.apply(plan.plan_id)


def test_a_copy_of_the_workspace_does_not_send(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    copy = acme.folder.parent / "copy"
    shutil.copytree(acme.folder, copy)
    acme.folder = copy
    with pytest.raises(PolicyError, match="looks like a copy"):
        acme.apply(plan.plan_id)
    with acme.session() as session:
        session.workspace.adopt()
    assert acme.apply(plan.plan_id).accepted == 3


def test_one_bad_recipient_holds_nobody(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "refused" if m.recipient == "u2@example.com" else "accepted")
    leads(acme, 30)
    result = acme.run()
    assert (result.accepted, result.refused, result.left, result.partly) == (29, 1, 0, True)
    assert acme.verdicts(acme.plan())[2, "invite"] == "skip: refused before"
    assert sender.tries["u2@example.com"] == 1


def test_a_temporary_refusal_is_tried_again_after_the_others(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 5" if m.recipient == "u1@example.com" and n < 3 else "accepted")
    leads(acme, 45)
    result = acme.run()
    assert (result.accepted, result.left) == (45, 0)
    assert sender.taken[-1] == "u1@example.com"
    assert sender.tries["u1@example.com"] == 3


def test_a_long_wait_is_left_to_a_resume(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    scripted(lambda m, n: "retry_after 600" if m.recipient == "u1@example.com" and n < 2 else "accepted")
    leads(acme, 5)
    plan = acme.plan()
    first = acme.apply(plan.plan_id)
    assert (first.accepted, first.left, first.state) == (4, 1, "partly")
    acme.clock.advance(timedelta(minutes=11))
    with acme.session() as session:
        second = usecases.resume(session, plan.plan_id)
    assert (second.accepted, second.left, second.state) == (1, 0, "applied")


def test_a_stubborn_message_does_not_hold_a_run_for_ever(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 25" if m.recipient == "u1@example.com" else "accepted")
    leads(acme, 30)
    result = acme.run()
    assert (result.accepted, result.left, result.state) == (29, 1, "partly")
    assert sender.tries["u1@example.com"] < 20


def test_a_receiver_that_takes_nothing_ends_the_run_for_now(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: "retry_after 0")
    leads(acme, 300)
    plan = acme.plan()
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.state) == (0, 300, "partly")
    assert result.stopped == "said retry_after"
    assert sender.batches == 8
    sender.answer = lambda m, n: "accepted"
    assert acme.apply(plan.plan_id).accepted == 300


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda m, n: "unknown" if m.recipient == "u7@example.com" else "accepted", id="receipt"),
        pytest.param(lambda m, n: OSError("gone") if m.recipient == "u7@example.com" else "accepted", id="exception"),
    ],
)
def test_unknown_is_held_listed_and_never_repeated(acme: Acme, scripted: Callable[..., Scripted], answer: Any) -> None:
    sender = scripted(answer)
    leads(acme, 30)
    plan = acme.plan()
    result = acme.apply(plan.plan_id)
    assert result.unknown >= 1
    again = acme.apply(plan.plan_id)
    assert result.accepted + again.accepted + result.unknown == 30
    assert again.unknown == 0
    assert acme.apply(plan.plan_id).nothing
    assert acme.verdicts(acme.plan())[7, "invite"] == "hold: unknown outcome"
    assert sender.tries["u7@example.com"] == 1
    with acme.session() as session:
        held = usecases.messages(session, state="unknown")
    assert "u7@example.com" in held.column("recipient").to_pylist()


@pytest.mark.parametrize(
    ("outcome", "sent_again", "state"),
    [("accepted", False, "accepted"), ("refused", False, "refused"), ("retry", True, "accepted")],
)
def test_a_person_settles_the_unknown(
    acme: Acme, scripted: Callable[..., Scripted], outcome: str, sent_again: bool, state: str
) -> None:
    sender = scripted(lambda m, n: "unknown" if n == 1 else "accepted")
    leads(acme, 1)
    plan = acme.plan()
    acme.apply(plan.plan_id)
    with acme.session() as session:
        [key] = usecases.messages(session, state="unknown").column("key").to_pylist()
        assert usecases.resolve(session, key, outcome).campaign == "spring"
        with pytest.raises(NotFound):
            usecases.resolve(session, key, "accepted")
    result = acme.apply(plan.plan_id)
    assert result.nothing is not sent_again
    assert sender.tries["u1@example.com"] == (2 if sent_again else 1)
    with acme.session() as session, session.query() as query:
        assert query.rows("select state from messages") == [(state,)]
        touched = query.rows("select count(*) from touchpoints where kind = 'email_sent'")
    assert touched == [(0 if state == "refused" else 1,)]


def test_a_sender_that_remembers_keys_settles_its_own_unknown(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    leads(acme, 30)
    plan = acme.plan()
    with acme.session() as session:
        monkeypatch.setattr("sfactl.workspace.ledger.Lease.settle", _die)
        with pytest.raises(RuntimeError):
            usecases.apply(session, plan.plan_id)
        monkeypatch.undo()
    assert len(acme.outbox()) == 20
    with acme.session() as session:
        result = usecases.resume(session, plan.plan_id)
    assert (result.accepted, result.unknown, result.left) == (10, 0, 0)
    assert len(acme.outbox()) == 30
    with acme.session() as session, session.query() as query:
        assert query.rows("select count(*) from messages where state = 'accepted'") == [(30,)]


def _die(*_: object) -> None:
    raise RuntimeError("the process ends here")


def test_a_sender_that_fails_stops_the_run_at_once(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted(lambda m, n: OSError("no route"))
    leads(acme, 100)
    result = acme.run()
    assert (result.unknown, result.left, sender.batches) == (20, 80, 1)
    assert "the sender failed: OSError: no route" in result.stopped


def test_commits_without_end_do_not_hold_a_run(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()
    sender.before_batch = lambda batch: acme.leads({"lead_id": 1000 + batch, "status": "sql"})
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left) == (100, 0)
    assert len(set(sender.taken)) == len(sender.taken)


@pytest.mark.parametrize(
    ("key", "minutes", "said"),
    [
        pytest.param("expires_at = 2026-11-20T10:30:00", 31, "the campaign has ended", id="the-end"),
        pytest.param('window = { hours = "09:00-10:30" }', 31, "", id="closing-time"),
    ],
)
def test_a_run_stops_when_its_time_is_over(
    acme: Acme, scripted: Callable[..., Scripted], key: str, minutes: int, said: str
) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN.replace("sender =", f"{key}\nsender ="))
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 2:
            acme.clock.advance(timedelta(minutes=minutes))

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.stopped) == (40, 60, said)


def test_who_was_kept_back_gets_the_message_by_a_later_plan(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()

    def after(batch: int) -> None:
        if batch == 1:
            with acme.session() as session:
                usecases.suppress(session, "u30@example.com")

    leads(acme, 30)
    plan = acme.plan()
    sender.before_batch = after
    assert acme.apply(plan.plan_id).accepted == 29
    with acme.session() as session:
        usecases.unsuppress(session, "u30@example.com")
    assert acme.run().accepted == 1
    assert sender.taken[-1] == "u30@example.com"


def test_the_same_plan_can_be_applied_again_when_all_were_kept_back(
    acme: Acme, scripted: Callable[..., Scripted]
) -> None:
    scripted()
    acme.write(
        "campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", '[caps]\nmessages = 1\nwithin = "7 days"\n[[steps]]')
    )
    acme.write("campaigns/summer.toml", CAMPAIGN)
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session:
        applying._Run(session, *_row_and_files(session, plan.plan_id))._begin()
    acme.run("summer")
    assert acme.apply(plan.plan_id).accepted == 0
    acme.clock.advance(timedelta(days=8))
    later = acme.plan()
    assert (later.plan_id, later.state) == (plan.plan_id, "planned")
    assert acme.apply(later.plan_id).accepted == 3


def test_who_opts_out_during_the_run_gets_nothing(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 60)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 1:
            with acme.session() as session:
                usecases.suppress(session, "U55@example.com")

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left) == (59, 0)
    assert [(r.reason, r.messages) for r in result.blocked] == [("suppressed", 1)]
    assert "u55@example.com" not in sender.taken
    assert result.state == "applied"


def test_pause_stops_a_run_before_its_next_batch(acme: Acme, scripted: Callable[..., Scripted]) -> None:
    sender = scripted()
    leads(acme, 100)
    plan = acme.plan()

    def after(batch: int) -> None:
        if batch == 2:
            with acme.session() as session:
                assert usecases.pause(session, "spring").changed

    sender.before_batch = after
    result = acme.apply(plan.plan_id)
    assert (result.accepted, result.left, result.stopped) == (40, 60, "paused by mei")
    with pytest.raises(PolicyError, match="paused by mei"):
        acme.apply(plan.plan_id)
    with acme.session() as session:
        assert usecases.unpause(session, "spring").changed
        assert not usecases.unpause(session, "spring").changed
    sender.before_batch = lambda n: None
    assert acme.apply(plan.plan_id).accepted == 60
    assert len(set(sender.taken)) == len(sender.taken) == 100


def test_a_run_past_the_window_waits_for_the_next_opening(acme: Acme) -> None:
    acme.write("campaigns/spring.toml", CAMPAIGN + 'window = { hours = "09:00-11:00" }\n')
    leads(acme, 3)
    plan = acme.plan()
    acme.clock.advance(timedelta(hours=2))
    late = acme.apply(plan.plan_id)
    assert (late.accepted, late.left, late.state) == (0, 3, "partly")
    assert [(r.reason, r.messages) for r in late.later] == [("outside window", 3)]
    acme.clock.advance(timedelta(hours=22))
    assert acme.apply(plan.plan_id).accepted == 3


def test_the_cap_holds_at_the_moment_of_sending(acme: Acme) -> None:
    acme.write(
        "campaigns/spring.toml", CAMPAIGN.replace("[[steps]]", '[caps]\nmessages = 1\nwithin = "7 days"\n[[steps]]')
    )
    acme.write("campaigns/summer.toml", CAMPAIGN)
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "s"\ntext = "t"\n')
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session:
        begun = applying._Run(session, *_row_and_files(session, plan.plan_id))
        begun._begin()
    assert acme.run("summer").accepted == 3
    result = acme.apply(plan.plan_id)
    assert (result.accepted, [(r.reason, r.messages) for r in result.blocked]) == (0, [("capped", 3)])


def _row_and_files(session: Session, plan_id: str) -> tuple[Any, Any]:
    with session.query() as query:
        row = applying.find_plan(query, plan_id)
    return row, applying.read_files(session, row.campaign)


def test_a_second_runner_is_told(acme: Acme) -> None:
    leads(acme, 3)
    plan = acme.plan()
    with acme.session() as session, session.ledger.lease("campaign/spring", run_id="other"):
        with pytest.raises(LockBusy, match="another run is at work"):
            acme.apply(plan.plan_id)


def test_an_applied_plan_replaces_the_others(acme: Acme) -> None:
    leads(acme, 2)
    old = acme.plan()
    acme.leads({"lead_id": 3})
    acme.run()
    with pytest.raises(Conflict, match="replaced by a newer one"):
        acme.apply(old.plan_id)


def test_a_sender_that_is_not_ready_costs_nothing(acme: Acme) -> None:
    leads(acme, 2)
    plan = acme.plan()
    (acme.folder / "outbox").write_text("in the way")
    with pytest.raises(TryLater, match="sender outbox"):
        acme.apply(plan.plan_id)
    (acme.folder / "outbox").unlink()
    assert acme.apply(plan.plan_id).accepted == 2


def test_resume_of_what_was_never_begun_is_refused(acme: Acme) -> None:
    leads(acme, 2)
    plan = acme.plan()
    with acme.session() as session, pytest.raises(PolicyError, match="never begun"):
        usecases.resume(session, plan.plan_id)


def test_the_mail_carries_what_bulk_mail_owes(acme: Acme) -> None:
    acme.write(
        "campaigns/spring.toml",
        CAMPAIGN.replace("mailto:u@acme.example?subject={key}", "https://acme.example/u/{key}").replace(
            "sender =", 'reply_to = "sales@acme.example"\nsender ='
        ),
    )
    acme.write("templates/invite.toml", 'schema = 1\nsubject = "您好"\ntext = "{{ message.unsubscribe }}"\n')
    leads(acme, 2)
    acme.run()
    one, two = acme.outbox()["u1@example.com"], acme.outbox()["u2@example.com"]
    link = one.get_content().strip()
    assert one["Subject"] == "您好"
    assert one["Reply-To"] == "sales@acme.example"
    assert one["Auto-Submitted"] == "auto-generated"
    assert one["List-Unsubscribe"].strip() == f"<{link}>"
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert one["Date"].datetime.replace(tzinfo=None) == FRIDAY
    assert link.startswith("https://acme.example/u/")
    assert two.get_content().strip() != link
    assert one["Message-ID"] != two["Message-ID"]


def test_the_log_of_one_lead_says_what_happened(acme: Acme) -> None:
    leads(acme, 2)
    acme.run()
    with acme.session() as session:
        result = usecases.status(session, "spring", lead_id=2)
        assert [line.campaign for line in usecases.campaigns(session)] == ["spring"]
    assert [(line.what.split(": ")[-1], line.step) for line in result.log] == [
        ("send", "invite"),
        ("accepted", "invite"),
    ]
    assert [(c.step, c.state, c.messages) for c in result.messages] == [("invite", "accepted", 2)]


def test_preview_shows_what_one_lead_would_get_and_why_not(acme: Acme) -> None:
    leads(acme, 2)
    acme.leads({"lead_id": 3, "status": "sql"})
    with acme.session() as session:
        [mine] = usecases.preview(session, "spring", 1)
        [other] = usecases.preview(session, "spring", 3)
        with pytest.raises(NotFound):
            usecases.preview(session, "spring", 99)
    assert (mine.subject, mine.recipient, mine.verdict) == ("Hi N1", "u1@example.com", "send")
    assert other.verdict == "not in the audience"
    assert not acme.outbox()


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        pytest.param("Wang@Example.com", ("email", "wang@example.com"), id="email"),
        pytest.param("+886 912 345 678", ("phone", "+886912345678"), id="phone"),
    ],
)
def test_suppressing_is_idempotent_and_can_be_taken_back(acme: Acme, address: str, stored: tuple[str, str]) -> None:
    with acme.session() as session:
        first = usecases.suppress(session, address, reason="complaint")
        second = usecases.suppress(session, address)
        back = usecases.unsuppress(session, address)
        again = usecases.unsuppress(session, address)
    assert ((first.kind, first.value), first.changed, second.changed) == (stored, True, False)
    assert (back.changed, again.changed) == (True, False)
