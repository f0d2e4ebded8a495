"""Notices: one for each change of status, to whom it may be sent, as often as the file allows, and never twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import pytest

from sfactl.api.errors import ConfigError, PolicyError
from sfactl.api.offers import TouchpointSenderOffer
from sfactl.api.records import Message, Receipt
from sfactl.campaigns import usecases as campaigns
from sfactl.campaigns.usecases import delivery
from sfactl.cases import usecases
from sfactl.cases.usecases import noticing

from .conftest import Desk


def test_one_notice_for_each_change_of_status(desk: Desk) -> None:
    """What was told is not told again; a status without a template and a change of something else tell nothing."""
    mine, yours = desk.open("1"), desk.open("2")
    assert desk.ack(dry_run=True).to_send == 2
    assert not (desk.folder / "outbox").exists()
    assert desk.ack().accepted == 2
    assert desk.ack().notices == ()
    desk.set(mine, status="open")
    desk.set(mine, status="waiting")
    desk.set(mine, priority="low")
    desk.set(mine, status="resolved", resolution="fuse replaced")
    assert desk.ack().accepted == 2
    desk.set(mine, status="open")
    assert desk.ack().accepted == 1
    assert desk.ack().notices == ()
    told = desk.rows('select step, lead_id, recipient, state from messages order by "at", message_key')
    assert [t[0] for t in told if t[1] == 1] == ["new", "open", "resolved", "open"]
    assert {t[3] for t in told} == {"accepted"}
    assert desk.rows("select count(*) from touchpoints where kind = 'email_sent'") == [(5,)]
    texts = [m.get_content() for m in desk.sent() if m["To"] == "mei@x.example"]
    for words in ("已收到", "正在處理", "fuse replaced", "已重新受理"):
        assert [words in text for text in texts].count(True) == 1
    assert f"[Case {yours}] Laser does not start" in [str(m["Subject"]) for m in desk.sent()]
    assert {m["Auto-Submitted"] for m in desk.sent()} == {"auto-replied"}


def test_two_customers_with_one_address_are_told_of_their_own_cases(desk: Desk) -> None:
    """Each notice is about something of its own, so that none is a double of another."""
    for lead in ("1", "3", "1"):
        desk.open(lead)
    assert desk.ack().accepted == 3
    assert len({str(m["Message-ID"]) for m in desk.sent()}) == 3


def test_who_is_told_and_who_not(desk: Desk) -> None:
    """What keeps a notice back is said; who wants no advertising is told of their case all the same."""
    desk.rules("own = [", 'own = ["MEI@x.example", ')
    with desk.session() as session:
        campaigns.suppress(session, "bob@x.example", reason="complaint")
        with session.write("leads", "touchpoints") as tx:
            tx.upsert("leads", "select unnest([5, 6]) as lead_id, unnest(['una@x.example', null]) as email")
            tx.append(
                "touchpoints",
                "select 'u' as event_id, timestamp '2026-05-01' as \"at\", 'unsubscribe' as kind, 5 as lead_id,"
                " 'inbound' as direction, 'email' as channel",
            )
            tx.commit()
    for lead in ("1", "2", "4", "5", "6", ""):
        desk.open(lead)
    desk.open("5", at="2026-04-29")
    result = desk.ack()
    assert [(n.lead_id, n.action, n.reason) for n in sorted(result.notices, key=lambda n: n.case_id)] == [
        (1, "skip", "an address of ours"),
        (2, "skip", "suppressed (complaint)"),
        (4, "skip", "an address that nobody reads"),
        (5, "send", ""),
        (6, "skip", "no address"),
        (None, "skip", "nobody we know"),
        (5, "skip", "no news any more: older than 3 days"),
    ]
    assert (result.accepted, len(desk.sent())) == (1, 1)


def test_no_more_than_so_many_to_one_address_in_a_day(desk: Desk) -> None:
    """What is beyond waits, and goes when there is room again; the other address is not held back."""
    desk.rules("per_day = 5", "per_day = 2")
    for lead in ("1", "3", "1", "2"):
        desk.open(lead)
    first = desk.ack()
    assert (first.accepted, first.partly) == (3, False)
    waits = [n for n in first.notices if n.action == "wait"]
    assert [(n.case_id, n.reason) for n in waits] == [(3, "no more than 2 notices to one address in 24 hours")]
    desk.clock.advance(timedelta(hours=23))
    assert desk.ack().accepted == 0
    desk.clock.advance(timedelta(hours=2))
    assert desk.ack().accepted == 1
    assert desk.ack().notices == ()


def test_a_notice_that_cannot_be_written_holds_no_other(desk: Desk) -> None:
    """Where a value is missing that one is named and stays; the others leave."""
    template = desk.folder / "templates/case-received.toml"
    desk.write(
        "templates/case-received.toml",
        template.read_text(encoding="utf-8").replace("It has the number", "{{ case.category }} It has the number"),
    )
    desk.open("2", category="billing")
    desk.open("2")
    tried = desk.ack(dry_run=True)
    assert [(n.action, "case.category is missing" in n.reason) for n in tried.notices] == [
        ("send", False),
        ("skip", True),
    ]
    done = desk.ack()
    assert (done.accepted, done.partly) == (1, True)
    assert [(r.reason, r.messages) for r in done.blocked] == [("cannot be written", 1)]


def test_stopped_and_paused_sending_stops_notices(desk: Desk) -> None:
    """The switch of the workspace counts for notices, too; they leave once it is thrown back."""
    desk.open("1")
    with desk.session() as session:
        campaigns.stop(session, reason="wrong texts")
    with pytest.raises(PolicyError, match="all sending is stopped by mei: wrong texts"):
        desk.ack()
    with desk.session() as session:
        campaigns.start(session)
    assert desk.ack().accepted == 1


WRONG: Mapping[str, tuple[str, str, str]] = {
    "no sender": ('sender = "outbox"', 'sender = "post"', "there is no senders/post.toml"),
    "no template": ('"case-received"', '"case-recieved"', "there is no template 'case-recieved'"),
    "nobody is told": ("notice =", "summary2 =", "unknown key"),
    "nobody sends": ("[notices]", "[notice]", "unknown key"),
    "no address": ('from = "Acme Service <service@acme.example>"', 'from = "Acme"', "'Acme' is not an e-mail address"),
    "unknown field": ("", "", "case has no field 'subjekt'. Did you mean 'subject'?"),
}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk of which only the files are changed, and put back."""
    return Desk(tmp_path_factory.mktemp("still") / "ws")


@pytest.mark.parametrize("name", WRONG)
def test_files_that_cannot_be_meant_are_refused(still: Desk, name: str) -> None:
    """By the check and before anything is claimed, naming file and key."""
    old, new, expected = WRONG[name]
    rules, template = still.folder / "cases.toml", still.folder / "templates/case-received.toml"
    texts = {path: path.read_text(encoding="utf-8") for path in (rules, template)}
    if old:
        still.rules(old, new)
    else:
        template.write_text(texts[template].replace("case.subject", "case.subjekt"), encoding="utf-8")
    try:
        with still.session() as session:
            assert expected in " ".join(usecases.check(session))
        with pytest.raises(ConfigError) as failed:
            still.ack()
        assert expected in f"{failed.value}"
    finally:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")


def test_files_in_order_have_no_problems(still: Desk) -> None:
    with still.session() as session:
        assert usecases.check(session) == ()
    still.rules('mailbox = ""', 'mailbox = "desk"')
    with still.session() as session:
        assert usecases.check(session) == ("cases.toml: mail.mailbox: there is no mailboxes/desk.toml",)
    still.rules('mailbox = "desk"', 'mailbox = ""')


def test_without_notices_the_command_says_how_to_write_them(still: Desk) -> None:
    text = (still.folder / "cases.toml").read_text(encoding="utf-8")
    still.write("cases.toml", "schema = 1\n")
    with pytest.raises(ConfigError, match="notices: missing"):
        still.ack()
    still.write("cases.toml", text)


def test_what_nobody_knows_the_outcome_of_is_held_until_somebody_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused for good stays so; unknown is held and never repeated blindly; a person lets it be sent again, once."""
    said = {"mei@x.example": "unknown", "Bob@x.example": "refused"}

    taken: list[str] = []

    class Answers:
        def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
            for m in messages:
                taken.append(m.recipient)
                yield Receipt(key=m.key, outcome=said[m.recipient], detail="so it is")  # type: ignore[arg-type]

        def close(self) -> None: ...

    forgetful = TouchpointSenderOffer(name="answers", summary="", target="nowhere:Nothing")
    monkeypatch.setattr(noticing, "make_sender", lambda session, files: Answers())
    monkeypatch.setattr(delivery, "sender_offer", lambda session, files: forgetful)
    desk.open("1")
    desk.open("2")
    first = desk.ack()
    assert (first.accepted, first.unknown, first.refused, first.partly) == (0, 1, 1, True)
    again = desk.ack()
    assert [(n.case_id, n.action, n.reason) for n in again.notices] == [(1, "hold", "unknown outcome")]
    assert (again.partly, taken) == (False, ["mei@x.example", "Bob@x.example"])
    with desk.session() as session:
        [row] = session.ledger.rows(state="unknown")
        assert campaigns.resolve(session, row.key, "retry").again == "case ack"
    said["mei@x.example"] = "accepted"
    assert (desk.ack().accepted, desk.ack().notices) == (1, ())
