"""Notices: one for each change of status, to whom it may be sent, as often as the file allows, and never twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from sfactl.api.errors import ConfigError, PolicyError
from sfactl.campaigns import usecases as campaigns
from sfactl.cases.usecases.noticing import AckResult

from .conftest import Desk


def verdicts(result: AckResult) -> Counter[tuple[str, str, str]]:
    return Counter((n.status, n.action, n.reason) for n in result.notices)


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


def _suppress(desk: Desk) -> None:
    with desk.session() as session:
        campaigns.suppress(session, "mei@x.example", reason="complaint")


def _unsubscribe(desk: Desk) -> None:
    with desk.session() as session, session.write("touchpoints") as tx:
        tx.append(
            "touchpoints",
            "select 'u' as event_id, timestamp '2026-05-01' as \"at\", 'unsubscribe' as kind, 1 as lead_id,"
            " 'inbound' as direction, 'email' as channel",
        )
        tx.commit()


NOT_TOLD: Mapping[str, tuple[str, Callable[[Desk], object], str, str]] = {
    "suppressed": ("1", _suppress, "skip", "suppressed (complaint)"),
    "nobody": ("", lambda desk: None, "skip", "nobody we know"),
    "an address that nobody reads": ("4", lambda desk: None, "skip", "an address that nobody reads"),
    "an address of ours": (
        "1",
        lambda desk: desk.rules("own = [", 'own = ["MEI@x.example", '),
        "skip",
        "an address of ours",
    ),
    "too old": ("1", lambda desk: desk.clock.advance(timedelta(days=4)), "skip", "no news any more: older than 3 days"),
    "unsubscribed from advertising": ("1", _unsubscribe, "send", ""),
}


@pytest.mark.parametrize("name", NOT_TOLD)
def test_who_is_told_and_who_not(desk: Desk, name: str) -> None:
    """What keeps a notice back is said; who wants no advertising is told of their case all the same."""
    lead, prepare, action, reason = NOT_TOLD[name]
    desk.open(lead)
    prepare(desk)
    result = desk.ack()
    assert verdicts(result) == {("new", action, reason): 1}
    assert result.accepted == (action == "send")
    assert len(desk.sent()) == (action == "send")


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


def test_history_that_was_imported_is_told_to_nobody(desk: Desk) -> None:
    """A quiet event is no news."""
    case = desk.open("1")
    with desk.session() as session, session.write("case_events") as tx:
        tx.append("case_events", "select * replace ('x' as event_id, 999 as event_no, true as quiet) from case_events")
        tx.commit()
    assert [n.case_id for n in desk.ack().notices] == [int(case)]


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
    "unknown field": ("", "", "case has no field 'subjekt'. Did you mean 'subject'?"),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_cannot_be_meant_are_refused(desk: Desk, name: str) -> None:
    """Before anything is claimed, naming file and key."""
    old, new, expected = WRONG[name]
    if old:
        desk.rules(old, new)
    else:
        path = desk.folder / "templates/case-received.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("case.subject", "case.subjekt"), encoding="utf-8")
    desk.open("2") if name != "nobody is told" else None
    with pytest.raises(ConfigError) as failed:
        desk.ack()
    assert expected in f"{failed.value}"


def test_without_notices_the_command_says_how_to_write_them(desk: Desk) -> None:
    desk.write("cases.toml", "schema = 1\n")
    with pytest.raises(ConfigError, match="notices: missing"):
        desk.ack()
