"""Mail of customers: what opens a case, what belongs to one that is there, what opens nothing, and no two robots talking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.cases.letters import Letter, NoLetter, read_letter

from .conftest import Desk

NOW = datetime(2026, 5, 4, 12)
FROM = "From: Bob Ray <bob@x.example>\nTo: service@acme.example\nDate: Mon, 4 May 2026 08:00:00 +0000\n"
BOUNCE = (
    "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n'
    "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@b.example\n"
    "Action: failed\nStatus: 5.1.1\n\n--b--\n"
)
ROBOT, LIST = "an answering machine or another robot wrote it", "mail to many"
READ: Mapping[str, tuple[str, str]] = {
    "a person": (f"{FROM}Subject: It is broken\n\nIt is broken", ""),
    "no subject": (f"{FROM}\nIt is broken", ""),
    "to a robot of ours, by a person": (f"{FROM}Auto-Submitted: no\nSubject: Hm\n\nHm", ""),
    "a robot": (f"{FROM}Auto-Submitted: auto-replied\nSubject: Re: x\n\nthanks", ROBOT),
    "a robot that gives a parameter": (f"{FROM}Auto-Submitted: auto-notified; owner=x\nSubject: y\n\nz", ROBOT),
    "a note of absence": (f"{FROM}Subject: Automatische Antwort: Abwesend\n\nweg", "a note of absence"),
    "absence in Chinese": (f"{FROM}Subject: 自動回覆：休假中\n\n休假", "a note of absence"),
    "nowhere to answer to": (f"Return-Path: <>\n{FROM}Subject: x\n\ny", ROBOT),
    "a list": (f"{FROM}List-Id: News <news.x.example>\nSubject: News\n\nnews", LIST),
    "bulk": (f"{FROM}Precedence: bulk\nSubject: News\n\nnews", LIST),
    "junk": (f"{FROM}Precedence: junk\nSubject: News\n\nnews", LIST),
    "a list of ours": (f"{FROM}List-Id: <help.acme.example>\nPrecedence: list\nSubject: Help\n\nbroken", ""),
    "a robot through a list of ours": (
        f"{FROM}List-Id: <help.acme.example>\nAuto-Submitted: auto-replied\nSubject: Help\n\naway", "a note of absence",
    ),
    "came back": (BOUNCE, "mail of ours that came back, or a report about one"),
    "nobody": ("From: nobody at all\nSubject: x\n\ny", "nobody's address is in it"),
    "nothing": ("", "nobody's address is in it"),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_what_is_a_letter(name: str) -> None:
    """A person's word is one; what a robot, a list or nobody wrote is none (RFC 3834, 2)."""
    text, why = READ[name]
    read = read_letter(text.encode(), now=NOW, lists=("help.acme.example",))
    assert (read.why if isinstance(read, NoLetter) else "") == why
    if isinstance(read, Letter):
        assert read.sender == "bob@x.example"
        assert bool(read.silent) == (name == "a list of ours")


def test_what_a_letter_says() -> None:
    """Name, words without what they quote, the case in the subject, and what it answers with the nearest first."""
    text = (
        f"{FROM}Subject: =?utf-8?b?UmU6IFtDYXNlIDEyXSDpm7flsIQ=?=\nMessage-ID:\n <n@x.example>\nIn-Reply-To: <c@a>\n"
        "References: <a@a> <b@a>\n <c@a>\n\nStill broken\n\nOn Monday Acme wrote:\n> It is well\n"
    )
    read = read_letter(text.replace("\n", "\r\n").encode(), now=NOW)
    assert isinstance(read, Letter)
    assert (read.name, read.text, read.token, read.message_id) == ("Bob Ray", "Still broken", 12, "<n@x.example>")
    assert (read.answers, read.thread) == (("<c@a>", "<b@a>", "<a@a>"), "<a@a> <b@a> <c@a>")
    assert read.at == datetime(2026, 5, 4, 8)


def test_a_thread_of_any_length_fits_into_a_line() -> None:
    """The nearest ids are kept; an id that is none is not printed into our mail."""
    ids = " ".join(f"<{n}.{'x' * 60}@x.example>" for n in range(200))
    read = read_letter(f"{FROM}Message-ID: <bäd@x>\nReferences: {ids}\n\nhm".encode(), now=NOW)
    assert isinstance(read, Letter)
    assert len(read.thread) <= 800
    assert read.thread.endswith(f"<199.{'x' * 60}@x.example>")
    assert read.message_id == ""


@given(st.binary(max_size=400))
@settings(max_examples=25)
def test_no_mail_is_too_strange(raw: bytes) -> None:
    """Whatever comes, it is a letter or it is none."""
    assert isinstance(read_letter(FROM.encode() + raw, now=NOW), (Letter, NoLetter))


def mail(number: int, sender: str, subject: str, text: str = "please help", **headers: str) -> str:
    own = {"From": sender, "Subject": subject, "Message-ID": f"<{number}@c.example>"}
    own |= {"Date": f"Mon, 4 May 2026 08:{number:02}:00 +0000"}
    own |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join(f"{k}: {v}\n" for k, v in own.items()) + f"\n{text}\n"


def test_from_the_first_mail_to_the_last(desk: Desk) -> None:
    """A stranger becomes a lead and is told in the thread of their mail; their answers belong to the case and take it up
    again; the same mails once more add nothing."""
    first = mail(1, "Wang Wei <wang@c.example>", "Laser", References="<0@c.example>")
    known = mail(2, "bob@x.example", "Invoice")
    ours = mail(3, "Acme Service <service@acme.example>", "Re: Laser")
    rep = mail(4, "ken@acme.example", "Fwd: Laser")
    nudge = mail(5, "wang@c.example", "Re: Laser", "any news?", In_Reply_To="<1@c.example>")
    dry = desk.read(first, known, ours, rep, nudge, dry_run=True)
    done = desk.read(first, known, ours, rep, nudge)
    assert (done.opened, done.heard, done.strangers, done.known) == (2, 1, 1, 0)
    assert (dry.opened, dry.heard, dry.commit) == (2, 1, None)
    assert [(n.reason, n.mails) for n in done.nothing] == [("we wrote it ourselves", 2)]
    people = (
        "select c.subject, l.email, l.full_name, l.source, c.owner from cases c join leads l using (lead_id) order by 1"
    )
    assert desk.rows(people) == [
        ("Invoice", "Bob@x.example", "Bob Ray", None, "ken"),
        ("Laser", "wang@c.example", "Wang Wei", "case-mail", None),
    ]
    again = desk.read(first, known, ours, rep, nudge)
    assert (again.opened, again.heard, again.known, again.commit) == (0, 0, 3, None)

    assert desk.ack().accepted == 2
    told = next(m for m in desk.sent() if m["To"] == "wang@c.example")
    assert (told["In-Reply-To"], told["References"]) == ("<1@c.example>", "<0@c.example> <1@c.example>")
    [(case,)] = desk.rows("select case_id from cases where subject = 'Laser'")
    desk.set(str(case), status="resolved")
    desk.ack()

    # By the notice it answers, from whatever address; by its number only if it is the writer's own.
    late = mail(6, "wang@home.example", "no", In_Reply_To=str(told["Message-ID"]))
    numbered = mail(7, "wang@c.example", f"[case #{case}] and again")
    foreign = mail(8, "bob@x.example", f"[Case {case}] not mine")
    third = desk.read(late, numbered, foreign)
    assert (third.opened, third.heard, third.again) == (1, 2, 1)
    moves = "select kind, from_status, to_status, actor from case_events where case_id = {} and kind <> 'opened' order by event_no"
    assert desk.rows(moves.format(case)) == [
        ("mail", None, None, "wang@c.example"),
        ("moved", "new", "resolved", "mei"),
        ("mail", None, None, "wang@home.example"),
        ("reopened", "resolved", "open", "mei"),
        ("mail", None, None, "wang@c.example"),
    ]


def test_two_robots_do_not_talk_for_ever(desk: Desk) -> None:
    """A robot that hides that it is one, starts a new thread each time and answers every notice gets so many a day."""
    seen: set[str] = set()
    desk.rules("per_day = 5", "per_day = 1")
    desk.read(mail(0, "robot@c.example", "I am away"))
    for number in range(1, 4):
        desk.ack()
        notices = [m for m in desk.sent() if m["To"] == "robot@c.example" and str(m["Message-ID"]) not in seen]
        if not notices:
            break
        seen |= {str(m["Message-ID"]) for m in notices}
        desk.read(mail(number, "robot@c.example", "I am away"))
    assert len(seen) == 1


def test_mail_through_a_list_of_ours_is_answered_by_people_only(desk: Desk) -> None:
    """It opens a case, and no robot of ours writes to a list."""
    desk.rules("lists = []", 'lists = ["help.acme.example"]')
    desk.read(mail(1, "bob@x.example", "Help", List_Id="<help.acme.example>", Precedence="list"))
    assert [(n.action, n.reason) for n in desk.ack().notices] == [("skip", "it came through a list")]


def test_a_mailbox_is_read_on_from_where_it_was_read(desk: Desk) -> None:
    """How far it was read lands with the cases; touch fetch has a place of its own."""
    from sfactl.cases import usecases

    (desk.folder / "mailboxes").mkdir()
    box = desk.folder / "post"
    box.mkdir()
    desk.write("mailboxes/service.toml", f'schema = 1\nuse = "files"\npath = "{box}"\n')

    def fetched() -> tuple[int, int]:
        with desk.session() as session:
            done = usecases.fetch_case_mail(session, "service")
        return done.mails, done.opened

    (box / "1.eml").write_text(mail(1, "bob@x.example", "One"))
    assert fetched() == (1, 1)
    assert fetched()[1] == 0
    (box / "2.eml").write_text(mail(2, "bob@x.example", "Two"))
    assert fetched()[1] == 1


def test_real_notices_of_failure_open_nothing(shared_data: Path) -> None:
    """Mail that came back, from servers of all kinds, opens nothing; a few notes that look like a person's may."""
    files = sorted((shared_data / "bounces_sisimai").rglob("*.eml"))[:120]
    opened = [p.name for p in files if isinstance(read_letter(p.read_bytes(), now=NOW), Letter)]
    assert len(opened) <= len(files) * 0.05, opened


def test_a_mail_that_is_read_late_moves_the_case_after_what_was_done(desk: Desk) -> None:
    """Written before the case was resolved and read after it: the case is taken up again, at a time that is not before."""
    case = desk.open("2")
    desk.set(case, status="resolved")
    desk.read(mail(1, "bob@x.example", f"[Case {case}] wait"))
    assert desk.rows('select kind from case_events order by "at", event_no') == [
        ("mail",),
        ("opened",),
        ("assigned",),
        ("moved",),
        ("reopened",),
    ]
