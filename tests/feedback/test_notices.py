"""What returned mail says: reports by the standards, the letters of servers, answers of machines, and garbage."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfactl.feedback.fields import MOST_RECIPIENTS
from sfactl.feedback.model import HARD, Notice
from sfactl.feedback.notices import read_notices
from sfactl.feedback.replies import read_answer
from tests.bounces import score

REPORT = """From: MAILER-DAEMON@mx.example.org
To: sales@acme.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Your message could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

Final-Recipient: rfc822; {to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: message/rfc822

Message-ID: <abc@acme.example>
To: {to}
Subject: Hello

Hi
--b--
"""
LETTER = """From: Mail Delivery System <MAILER-DAEMON@mx.example.org>
To: sales@acme.example
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.
A message that you sent could not be delivered. The following address(es) failed:

{body}

------ This is a copy of the message, including all the headers. ------

Message-ID: <abc@acme.example>
To: ming@example.com
Subject: Our mailbox is full of spam, no such user

User unknown
"""


class Case(NamedTuple):
    said: str
    status: str
    reason: str
    hard: bool


SAID = {
    "user-unknown": Case("550 5.1.1 <ming@example.com>: Recipient address rejected: User unknown", "5.1.1", "userunknown", True),
    "own-status-is-finer": Case("550 5.1.1 no such user here", "5.0.0", "userunknown", True),
    "host": Case("550 5.1.2 Host unknown (Name server: example.con: host not found)", "5.1.2", "hostunknown", True),
    "moved": Case("551 5.1.6 recipient no longer on server", "5.1.6", "hasmoved", True),
    "full": Case("552 5.2.2 Mailbox full, quota exceeded", "5.2.2", "mailboxfull", False),
    "too-big": Case("552 5.3.4 Message size exceeds fixed limit", "5.3.4", "mesgtoobig", False),
    "dmarc": Case("550 5.7.26 Unauthenticated email is not accepted due to DMARC policy", "5.7.26", "authfailure", False),
    "ptr": Case("550 5.7.1 Client host rejected: cannot find your reverse hostname", "5.7.1", "requireptr", False),
    "listed": Case("554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "5.7.1", "blocked", False),
    "spam": Case("550 5.7.1 Message rejected as spam by content filtering", "5.7.1", "spamdetected", False),
    "rate": Case("450 4.7.1 too many messages per hour from your address, throttled", "4.7.1", "speeding", False),
    "off": Case("550 5.2.1 The email account that you tried to reach is disabled", "5.2.1", "suspend", False),
    "late": Case("451 4.4.7 retry timeout exceeded", "4.4.7", "expired", False),
    "relay": Case("554 5.7.1 <ming@example.com>: Relay access denied", "5.7.1", "norelaying", False),
    "words-in-an-address": Case("550 5.1.1 <spam.mailbox.full@example.com>: user unknown", "5.1.1", "userunknown", True),
    "status-only": Case("", "5.1.1", "userunknown", True),
    "nothing-told": Case("550 nope", "5.0.0", "undefined", False),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID.values(), ids=SAID)
def test_reports_tell_the_reason_and_whether_to_stop(case: Case) -> None:
    raw = REPORT.format(to="Ming@Example.com", action="failed", status=case.status, said=case.said).encode()
    (notice,) = read_notices(raw)
    assert (notice.kind, notice.recipient, notice.reason, notice.hard) == (
        "bounce",
        "ming@example.com",
        case.reason,
        case.hard,
    )
    assert notice.original == "<abc@acme.example>"
    assert notice.status


def test_delays_are_no_bounces() -> None:
    raw = REPORT.format(to="a@example.com", action="delayed", status="4.4.1", said="connection timed out").encode()
    (notice,) = read_notices(raw)
    assert (notice.kind, notice.hard) == ("delay", False)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("  ming@example.com\n    550 5.1.1 unknown user", [("ming@example.com", "userunknown")]),
        ("  ming@example.com:\n    mailbox is full: retry timeout exceeded", [("ming@example.com", "mailboxfull")]),
        (
            "<a@example.com>:\n550 5.1.1 user unknown\n\n<b@example.com>:\n552 5.2.2 quota exceeded",
            [("a@example.com", "userunknown"), ("b@example.com", "mailboxfull")],
        ),
    ],
    ids=["one", "full", "two"],
)
def test_letters_of_servers_and_not_the_copy_below_them(body: str, expected: list[tuple[str, str]]) -> None:
    found = read_notices(LETTER.format(body=body).encode())
    assert sorted((n.recipient, n.reason) for n in found) == expected
    assert {n.original for n in found} == {"<abc@acme.example>"}


def test_complaints_and_answers_of_machines() -> None:
    complaint = b"""From: fbl@isp.example
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

Reported as spam.
--b
Content-Type: message/feedback-report

Feedback-Type: abuse
Original-Rcpt-To: <ming@example.com>

--b--
"""
    (told,) = read_notices(complaint)
    assert (told.kind, told.recipient, told.reason) == ("complaint", "ming@example.com", "abuse")
    away = b"From: Ming <ming@example.com>\nAuto-Submitted: auto-replied\nSubject: Out of office\n\nBack on Monday.\n"
    assert [(n.kind, n.recipient, n.reason) for n in read_notices(away)] == [("answer", "ming@example.com", "vacation")]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x00\xff\xfe" * 50, b"From: ming@example.com\nSubject: Re: your offer\n\nWe would like to order ten.\n"],
    ids=["empty", "garbage", "a-real-answer"],
)
def test_what_is_no_report_gives_no_notice(raw: bytes) -> None:
    assert read_notices(raw) == ()


@pytest.mark.parametrize("charset", ["u\xf8f-8", "utf\x00-8", "x" * 300, "1"])
def test_charsets_that_do_not_exist_are_guessed(charset: str) -> None:
    subject = f"Subject: Undelivered =?{charset}?q?Mail?=\n".encode()
    raw = HEAD.replace("Subject: Undelivered Mail\n", "").encode() + subject
    body = b"ming@example.com: 550 5.1.1 user unknown\n"
    for kind in (b"plain", b"html"):
        mail = raw + b"Content-Type: text/" + kind + f"; charset={charset}\n\n".encode() + body
        assert [n.reason for n in read_notices(mail)] == ["userunknown"]
        assert read_answer(mail) is not None


@given(st.binary(max_size=400))
def test_no_mail_makes_it_fail(raw: bytes) -> None:
    head = b"From: MAILER-DAEMON@x.example\nSubject: Undelivered\nContent-Type: multipart/report; boundary=b\n\n--b\n"
    for mail in (raw, head + b"Content-Type: message/delivery-status\n\n" + raw):
        assert all(isinstance(n, Notice) for n in read_notices(mail))


HEAD = "From: MAILER-DAEMON@mx.example.org\nTo: sales@acme.example\nSubject: Undelivered Mail\n"
LONG = 200_000
FLOODS = {
    "blanks": "\n ming@example.com failed\n" + " " * LONG,
    "empty-lines": "\nming@example.com failed\n" + "\n" * LONG,
    "dashes": "\n" + "-" * LONG,
    "no-address": "\n" + "a." * (LONG // 2),
    "words-of-servers": "\nming@example.com " + "user mailbox " * (LONG // 13),
    "open-tags": "Content-Type: text/html\n\n" + "<a " * (LONG // 3),
    "open-comments": "Content-Type: text/html\n\n" + "<!--" * (LONG // 4),
    "recipients": "Content-Type: message/delivery-status\n\n"
    + "".join(f"Final-Recipient: rfc822; a{n}@example.com\nStatus: 5.1.1\n\n" for n in range(LONG // 100)),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_no_mail_holds_the_others_up(flood: str) -> None:
    """Each took minutes, or more memory than it has bytes, when nothing bounded how it is looked at."""
    raw = (HEAD + FLOODS[flood]).encode()
    assert len(read_notices(raw)) <= MOST_RECIPIENTS
    read_answer(raw)


def test_comments_within_comments_are_no_address() -> None:
    assert read_answer(b"From: " + b"(" * 3000 + b"ming@example.com\nSubject: Hello\n\nHi\n") is None


def test_recipients_of_one_report_are_told_apart_where_no_line_parts_them() -> None:
    block = "Final-Recipient: rfc822; {}@example.com\nAction: failed\nStatus: {}\nDiagnostic-Code: smtp; 550 {} {}\n"
    both = block.format("a", "5.2.2", "5.2.2", "mailbox full") + block.format("b", "5.1.1", "5.1.1", "user unknown")
    notices = read_notices((HEAD + "Content-Type: message/delivery-status\n\n" + both).encode())
    assert [(n.recipient, n.reason) for n in notices] == [
        ("a@example.com", "mailboxfull"),
        ("b@example.com", "userunknown"),
    ]


def test_what_a_server_wrote_on_unindented_lines_ends_no_report() -> None:
    fields = "Diagnostic-Code: smtp; 550-Please turn on authentication.\n550 5.7.1 Relaying denied.\nStatus: 5.7.1\n"
    raw = (
        HEAD
        + f"Content-Type: message/delivery-status\n\n{fields}Action: failed\nFinal-Recipient: rfc822; a@example.com\n"
    )
    (notice,) = read_notices(raw.encode())
    assert (notice.recipient, notice.status, notice.reply_code) == ("a@example.com", "5.7.1", "550")


def test_a_server_that_quotes_another_gives_its_code_to_it() -> None:
    expired = "554 4.4.7 Message expired: unable to deliver in 840 minutes.<421 4.4.2 Connection timed out>"
    (notice,) = read_notices(REPORT.format(to="a@example.com", action="failed", status="4.4.7", said=expired).encode())
    assert (notice.reply_code, notice.status, notice.reason, notice.hard) == ("421", "4.4.2", "expired", False)


REFUSALS = tomllib.loads((Path(__file__).parent / "refusals.toml").read_text("utf-8"))


@pytest.mark.parametrize("reason", REFUSALS)
def test_what_servers_are_known_to_write(reason: str) -> None:
    read = {said: _refused(said) for said in REFUSALS[reason]}
    assert {said: notice.reason for said, notice in read.items()} == dict.fromkeys(read, reason)
    hard = {said for said, notice in read.items() if notice.hard}
    assert hard == {said for said in hard if reason in HARD}


def _refused(said: str) -> Notice:
    (notice,) = read_notices(REPORT.format(to="ming@example.com", action="failed", status="", said=said).encode())
    return notice


def test_real_bounces(shared_data: Path) -> None:
    """The shares that docs/bounces.md states, with a little room; some of the reasons are matters of taste."""
    found = score(shared_data / "bounces_sisimai")
    assert found.share("hard or soft") > 0.93
    assert found.share("reason") > 0.84
    assert found.share("enhanced status") > 0.97
    assert found.share("reply code") > 0.95
    assert found.share("recipients") > 0.96
