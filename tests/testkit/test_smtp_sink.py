"""The SMTP sink keeps what it accepted, over a kill and a restart on the same port."""

from __future__ import annotations

import smtplib
import socket
import ssl
from pathlib import Path
from typing import Literal

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


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_mail_comes_through_tls_after_a_login(tmp_path: Path, tls: Literal["starttls", "implicit"]) -> None:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    trust = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    where = {"tls": tls, "certificate": tmp_path / "server.pem", "login": ("u", "secret")}
    with SmtpSink(tmp_path / "mail", **where) as sink:
        if tls == "implicit":
            client: smtplib.SMTP = smtplib.SMTP_SSL(sink.host, sink.port, timeout=10, context=trust)
        else:
            client = smtplib.SMTP(sink.host, sink.port, timeout=10)
            assert not client.has_extn("auth")
            assert client.docmd("MAIL FROM:<a@example.com>")[0] >= 500
            client.starttls(context=trust)
        with client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("u", "guessed")
            client.login("u", "secret")
            client.sendmail("sales@example.com", ["a@example.com"], "Subject: Hi\r\n\r\nHello\r\n")
        assert [mail.raw for mail in sink.delivered()] == [b"Subject: Hi\r\n\r\nHello\r\n"]


def test_commands_may_come_in_one_go_where_it_says_so(tmp_path: Path) -> None:
    transaction = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<%s@example.com>\r\nDATA\r\n"
    with SmtpSink(tmp_path / "mail", pipelining=True) as sink:
        with socket.create_connection((sink.host, sink.port), 10) as client, client.makefile("rb") as said:
            client.sendall(b"EHLO here\r\n" + transaction % b"refused" + b"RSET\r\n" + transaction % b"b")
            client.sendall(b"Subject: one\r\n\r\n.\r\n" + transaction % b"c" + b"Subject: two\r\n\r\n.\r\nQUIT\r\n")
            codes = [line[:4].decode() for line in said]
    assert "250-" in codes
    single = [code for code in codes if code.endswith(" ")]
    assert "".join(single) == "220 250 250 550 503 250 250 250 354 250 250 250 354 250 221 "
    assert [str(mail.message["Subject"]) for mail in sink.delivered()] == ["one", "two"]
