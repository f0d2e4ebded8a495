"""Returned mail in a workspace: events once, addresses left in peace, campaigns that keep to it."""

from __future__ import annotations

import hashlib
import mailbox
from datetime import datetime, timedelta
from email.message import Message
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sfactl.api.errors import UserError
from sfactl.config.settings import Settings
from sfactl.feedback import events
from sfactl.feedback.usecases import read_bounces, read_replies
from sfactl.feedback.usecases.mail import pages
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from tests.feedback.test_notices import REPORT

NOW = datetime(2026, 6, 1, 9)


@pytest.fixture
def session(tmp_path: Path) -> Any:
    Workspace.create(tmp_path / "ws").close()
    with open_session(
        tmp_path / "ws", settings=Settings(), command="t", actor="t", clock=FixedClock(NOW), quiet=True
    ) as s:
        rows = [{"lead_id": n, "email": f"Lead{n}@Example.com"} for n in (1, 2, 3)]
        with s.write("leads") as tx:
            tx.upsert("leads", pa.Table.from_pylist(rows, schema=s.workspace.schemas["leads"].arrow()))
            tx.commit()
        yield s


def mail(to: str, said: str, status: str, *, days: int = 0) -> bytes:
    date = format_datetime(NOW - timedelta(days=days))
    return f"Date: {date}\n".encode() + REPORT.format(to=to, action="failed", status=status, said=said).encode()


def rows(session: Session, sql: str) -> list[tuple[Any, ...]]:
    with session.query() as query:
        return query.rows(sql)


def test_each_mail_counts_once_and_dead_addresses_are_left_in_peace(session: Session, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "box")
    for raw in (
        mail("lead1@example.com", "550 5.1.1 user unknown", "5.1.1"),
        mail("LEAD2@example.com", "552 5.2.2 mailbox full", "5.2.2"),
        mail("nobody@example.org", "550 5.1.1 user unknown", "5.1.1"),
        b"From: a@example.com\nSubject: hello\n\nhello\n",
    ):
        box.add(raw)
    first = read_bounces(session, [tmp_path / "box"])
    assert (first.mails, first.new, first.strangers, first.no_report, first.suppressed) == (4, 2, 1, 1, 2)
    events = rows(session, "select lead_id, kind, content, value, channel from touchpoints order by lead_id")
    assert events == [(1, "bounce", "userunknown", 1.0, "email"), (2, "bounce", "mailboxfull", 0.5, "email")]
    assert rows(session, "select value, reason from suppressions order by 1") == [
        ("lead1@example.com", "bounce"), ("nobody@example.org", "bounce")
    ]  # fmt: skip
    head = session.workspace.head()
    again = read_bounces(session, [tmp_path / "box"])
    assert (again.new, again.known, again.suppressed) == (0, 2, 0)
    assert session.workspace.head() == head or rows(session, "select count(*) from touchpoints") == [(2,)]


def test_soft_bounces_count_by_the_day_until_they_are_enough(session: Session, tmp_path: Path) -> None:
    full = "552 5.2.2 mailbox full"
    for day in (40, 9, 8, 7, 6):
        (tmp_path / f"{day}.eml").write_bytes(mail("lead3@example.com", full, "5.2.2", days=day))
        assert read_bounces(session, [tmp_path / f"{day}.eml"]).suppressed == 0
    twice = tmp_path / "twice.eml"
    twice.write_bytes(mail("lead3@example.com", full + " again", "5.2.2", days=6))
    assert read_bounces(session, [twice]).suppressed == 0
    last = tmp_path / "last.eml"
    last.write_bytes(mail("lead3@example.com", full, "5.2.2"))
    assert read_bounces(session, [last]).suppressed == 1


def test_a_dry_run_and_wrong_places(session: Session, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no file"):
        read_bounces(session, [tmp_path / "nothing"])
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").write_text("root:x:0:0\n" * 50)
    with pytest.raises(UserError, match="notes: this is neither a mail nor an mbox file"):
        read_bounces(session, [tmp_path / "notes"])
    (tmp_path / "read.mbox").touch()
    assert read_bounces(session, [tmp_path / "read.mbox"]).mails == 0
    with pytest.raises(UserError, match="no mails"):
        read_bounces(session, [tmp_path / "empty"])


def test_a_mail_that_cannot_be_read_keeps_no_other_from_being_read(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(mail: Message, now: datetime) -> datetime:
        if mail["Subject"] == "broken":
            raise ValueError("what nobody thought of")
        return now

    monkeypatch.setattr(events, "arrived_at", broken)
    (tmp_path / "1.eml").write_bytes(b"Subject: broken\n\n")
    (tmp_path / "2.eml").write_bytes(mail("lead1@example.com", "550 5.1.1 user unknown", "5.1.1"))
    result = read_bounces(session, [tmp_path])
    assert (result.mails, result.unread, result.new) == (2, 1, 1)


def test_pages_are_bounded_in_bytes_too() -> None:
    sizes = [
        [len(raw) for raw in page] for page in pages([b"x" * n for n in (5, 5, 30, 1, 1, 1)], most=3, most_bytes=10)
    ]
    assert sizes == [[5, 5], [30], [1, 1, 1]]


def written(session: Session, key: str, lead_id: int, recipient: str) -> str:
    """A message of ours in the ledger; answers the local part of its Message-ID."""
    row = {
        "message_key": key, "at": NOW, "state": "accepted", "campaign": "spring", "step": "invite",
        "lead_id": lead_id, "channel": "email", "recipient": recipient,
    }  # fmt: skip
    with session.write() as tx:
        tx.append("messages", pa.Table.from_pylist([row], schema=session.workspace.schemas["messages"].arrow()))
        tx.commit()
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def complaint(kind: str, own: str, to: str) -> bytes:
    parts = (
        "Content-Type: text/plain\n\nA complaint.\n",
        f"Content-Type: message/feedback-report\n\nFeedback-Type: {kind}\nVersion: 1\n",
        f"Content-Type: message/rfc822\n\nMessage-ID: <{own}@acme.example>\nTo: {to}\nSubject: Spring\n\nHi\n",
    )
    head = "From: fbl@isp.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
    return (head + "".join(f"--b\n{part}\n" for part in parts) + "--b--\n").encode()


def test_a_complaint_without_the_address_is_known_by_its_message(session: Session, tmp_path: Path) -> None:
    own = written(session, "spring/1", 1, "Lead1@Example.com")
    (tmp_path / "1.eml").write_bytes(complaint("abuse", own, "[redacted]"))
    (tmp_path / "2.eml").write_bytes(complaint("abuse", "0" * 40, "[redacted]"))
    result = read_bounces(session, [tmp_path])
    assert (result.new, result.strangers, result.suppressed) == (1, 1, 1)
    assert rows(session, "select lead_id, kind, message_key from touchpoints") == [(1, "complaint", "spring/1")]
    assert rows(session, "select value, reason from suppressions") == [("lead1@example.com", "complaint")]


@pytest.mark.parametrize("kind", ["auth-failure", "not-spam", "virus"])
def test_reports_that_no_person_means_stop_nothing(session: Session, tmp_path: Path, kind: str) -> None:
    (tmp_path / "1.eml").write_bytes(complaint(kind, "0" * 40, "lead1@example.com"))
    result = read_bounces(session, [tmp_path])
    assert (result.new, result.suppressed) == (0, 0)
    assert read_replies(session, [tmp_path]).new == 0


def test_who_forwards_to_a_dead_address_is_not_written_to(session: Session, tmp_path: Path) -> None:
    own = written(session, "spring/2", 2, "lead2@example.com")
    raw = mail("old@provider.example", "550 5.1.1 user unknown", "5.1.1").replace(b"<abc@", f"<{own}@".encode())
    (tmp_path / "1.eml").write_bytes(raw)
    assert read_bounces(session, [tmp_path]).new == 1
    assert rows(session, "select value from suppressions order by 1") == [
        ("lead2@example.com",),
        ("old@provider.example",),
    ]
