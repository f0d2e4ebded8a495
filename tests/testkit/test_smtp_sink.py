"""The SMTP sink keeps what it accepted, over a kill and a restart on the same port."""

from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from sfactl.testkit import SmtpSink

pytest.importorskip("aiosmtpd")


def send(sink: SmtpSink, recipient: str) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        client.sendmail("sales@example.com", [recipient], f"Subject: Hi {recipient}\r\n\r\nHello\r\n")


def test_what_was_accepted_survives_a_kill(tmp_path: Path) -> None:
    with SmtpSink(tmp_path / "mail") as sink:
        send(sink, "a@example.com")
        sink.stop()
        with pytest.raises(OSError):
            send(sink, "b@example.com")
        sink.start()
        send(sink, "c@example.com")
    assert [mail.recipients for mail in sink.delivered()] == [("a@example.com",), ("c@example.com",)]
    assert sink.delivered()[0].message["Subject"] == "Hi a@example.com"


@pytest.mark.parametrize(
    ("recipient", "error", "kept"),
    [
        ("refused@example.com", smtplib.SMTPRecipientsRefused, 0),
        ("busy@example.com", smtplib.SMTPRecipientsRefused, 0),
        ("lost@example.com", smtplib.SMTPServerDisconnected, 1),
    ],
    ids=["refused", "busy", "lost"],
)
def test_recipients_choose_the_fault(tmp_path: Path, recipient: str, error: type[Exception], kept: int) -> None:
    with SmtpSink(tmp_path / "mail") as sink:
        with pytest.raises(error):
            send(sink, recipient)
        assert len(sink.delivered()) == kept
