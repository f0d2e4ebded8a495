"""The SMTP sender against a server that follows a script: what each reply or broken connection means."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest
from sfactl_sender_smtp import sfactl_touchpoint_senders
from sfactl_sender_smtp.sender import SmtpSender
from sfactl_sender_smtp.settings import SmtpSettings

from sfactl.api.errors import PluginError
from tests.scripted_smtp import (
    CLOSE,
    KEPT_THEN_CLOSE,
    Script,
    SenderContext,
    at,
    message,
    send,
    sender_for,
    serving,
    usual,
)


@pytest.mark.parametrize(
    ("script", "outcome", "detail"),
    [
        pytest.param(usual, "accepted", "250 queued", id="accepted"),
        pytest.param(at("RCPT", "550 no such user"), "refused", "550 no such user", id="no-such-user"),
        pytest.param(at("MAIL", "553 bad sender"), "refused", "553", id="sender-refused"),
        pytest.param(at("END", "554 spam"), "refused", "554 spam", id="content-refused"),
        pytest.param(at("RCPT", "451 greylisted"), "retry_after", "451", id="greylisted"),
        pytest.param(at("DATA", "452 disk full"), "retry_after", "452", id="disk-full"),
        pytest.param(at("END", "451 try later"), "retry_after", "451", id="try-later-after-data"),
        pytest.param(at("MAIL", "421 closing"), "retry_after", "421", id="closing"),
        pytest.param(at("RCPT", CLOSE), "retry_after", "before the message was taken", id="lost-at-rcpt"),
        pytest.param(at("BODY", CLOSE), "retry_after", "before the message was taken", id="lost-in-body"),
        pytest.param(at("END", KEPT_THEN_CLOSE), "unknown", "connection lost after DATA", id="lost-after-dot"),
        pytest.param(at("END", "999 what?"), "unknown", "", id="nonsense-after-dot"),
    ],
)
@pytest.mark.parametrize("features", [(), ("PIPELINING",)], ids=["one-by-one", "in-one-go"])
def test_receipt_says_what_is_known(script: Script, outcome: str, detail: str, features: tuple[str, ...]) -> None:
    # A reader who leaves early is only noticed while sending if the body is larger than the socket's buffers.
    lines = 40_000 if script(1, "BODY") else 1
    with serving(script, features=features) as server:
        [receipt] = send(sender_for(server), message(text=("y" * 70 + "\r\n") * lines))
    assert (receipt.key, receipt.outcome) == ("key-1", outcome)
    assert detail in receipt.detail
    assert len(server.taken) == (1 if outcome == "accepted" or detail == "connection lost after DATA" else 0)


def test_one_bad_recipient_does_not_hold_the_others() -> None:
    with serving(at("RCPT TO:<BAD", "550 no")) as server:
        receipts = send(sender_for(server), message(1), message(2, "bad@example.com"), message(3))
    assert [r.outcome for r in receipts] == ["accepted", "refused", "accepted"]
    assert server.connections == 1


def test_an_idle_connection_closed_by_the_server_costs_a_reconnect_only() -> None:
    def script(number: int, command: str) -> str | None:
        seen[number] = seen.get(number, 0) + command.upper().startswith("MAIL")
        return CLOSE if number == 1 and seen[number] == 2 else None

    seen: dict[int, int] = {}
    with serving(script) as server:
        receipts = send(sender_for(server), message(1), message(2))
    assert [r.outcome for r in receipts] == ["accepted", "accepted"]
    assert (server.connections, len(server.taken)) == (2, 2)


def test_an_unreachable_server_makes_all_wait_and_is_asked_once() -> None:
    with serving() as server:
        port = server.port
    sender = SmtpSender(SmtpSettings(host="127.0.0.1", port=port, tls="none", retry_after_s=7), SenderContext())
    receipts = send(sender, message(1), message(2))
    assert [(r.outcome, r.retry_after_s) for r in receipts] == [("retry_after", 7), ("retry_after", 7)]
    assert "cannot be reached" in sender.check().problems[0]


def test_what_arrives_is_a_proper_mail() -> None:
    with serving() as server:
        send(sender_for(server), message(html="<p>王小明</p>"))
    mail = message_from_bytes(server.taken[0], policy=policy.default)
    assert server.taken[0].isascii()
    assert mail["Subject"] == "您好，王小明：春季研討會邀請函與交通資訊，請務必先行報名"
    assert mail["From"].addresses[0].display_name == "台灣精機"
    assert mail["Date"].datetime.isoformat() == "2026-11-21T09:00:00+00:00"
    assert mail["Message-ID"].endswith("@acme.example>")
    assert mail["List-Unsubscribe"] == "<mailto:u@acme.example>"
    assert mail.get_body(("plain",)).get_content().splitlines() == ["Hi", ".dot"]
    assert mail.get_body(("html",)).get_content().strip() == "<p>王小明</p>"


def test_message_id_is_the_same_on_every_attempt_and_another_for_another_key() -> None:
    with serving() as server:
        send(sender_for(server), message(1), message(1), message(2))
    ids = [message_from_bytes(m)["Message-ID"] for m in server.taken]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"subject": "Hi\r\nBcc: all@example.com"}, id="subject"),
        pytest.param({"recipient": "a@b.example\r\nRCPT TO:<c@d.example>"}, id="recipient"),
        pytest.param({"recipient": "nobody"}, id="no-address"),
    ],
)
def test_header_injection_is_refused_before_anything_is_said(changes: dict[str, str]) -> None:
    with serving() as server:
        [receipt] = send(sender_for(server), message(**changes))
    assert receipt.outcome == "refused"
    assert not [c for c in server.commands if c.upper().startswith(("MAIL", "RCPT"))]


@pytest.mark.parametrize(
    ("features", "outcome"),
    [pytest.param((), "refused", id="old-server"), pytest.param(("SMTPUTF8", "8BITMIME"), "accepted", id="smtputf8")],
)
def test_addresses_outside_ascii(features: tuple[str, ...], outcome: str) -> None:
    with serving(features=features) as server:
        [receipt] = send(sender_for(server), message(recipient="王@例子.台灣"))
    assert receipt.outcome == outcome
    if outcome == "accepted":
        assert "RCPT TO:<王@xn--fsqu00a.xn--kpry57d>" in server.commands


def test_an_international_domain_needs_no_smtputf8() -> None:
    with serving() as server:
        [receipt] = send(sender_for(server), message(recipient="wang@例子.台灣"))
    assert receipt.outcome == "accepted"
    assert "RCPT TO:<wang@xn--fsqu00a.xn--kpry57d>" in server.commands


def test_a_refused_login_never_shows_the_password() -> None:
    with serving(features=("AUTH PLAIN",)) as server:
        sender = sender_for(server, user="u", password="env:PW", secrets={"env:PW": "hunter2"})
        problem = sender.check().problems[0]
        [receipt] = send(sender, message())
    assert "refused the login of u: 535" in problem
    assert "hunter2" not in problem + receipt.detail
    assert receipt.outcome == "retry_after"


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"host": "h", "port": 0}, id="port"),
        pytest.param({"host": "h", "user": "u"}, id="user-without-password"),
        pytest.param({"host": "h", "user": "u", "password": "env:P", "tls": "none"}, id="password-in-the-clear"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"port|password"):
        SmtpSettings(**settings)  # type: ignore[arg-type]


def test_only_the_declared_host_is_asked_for() -> None:
    sender = SmtpSender(SmtpSettings(host="evil.example"), SenderContext())
    with pytest.raises(PluginError):
        sender.check()


def test_the_offer_names_what_exists() -> None:
    [offer] = sfactl_touchpoint_senders()
    assert (offer.name, offer.channel, offer.hosts, offer.secrets) == (
        "smtp",
        "email",
        ("setting:host", "setting:nameserver"),
        ("password", "dkim_private_key", "dkim_second_private_key"),
    )
    assert offer.capabilities == {"attachments", "domains", "signs"}


@pytest.mark.parametrize(
    ("script", "about"),
    [
        pytest.param(at("RCPT", "451 4.7.1 greylisted"), "message", id="greylisted"),
        pytest.param(at("RCPT", "452 4.2.2 mailbox full"), "message", id="mailbox-full"),
        pytest.param(at("RCPT", "450 4.7.28 too much mail for this domain"), "domain", id="domain-flooded"),
        pytest.param(at("END", "450-4.7.28 too much mail\r\n450 4.7.28 see our page"), "domain", id="in-two-lines"),
        pytest.param(at("MAIL", "452 4.4.5 congested"), "sender", id="congested"),
        pytest.param(at("MAIL", "421 4.7.0 slow down"), "sender", id="closing"),
        pytest.param(at("HELLO", "554 not you"), "sender", id="no-entry"),
        pytest.param(at("END", "451"), "message", id="bare-code"),
    ],
)
def test_a_wait_says_for_whom_it_holds(script: Script, about: str) -> None:
    with serving(script) as server:
        [receipt] = send(sender_for(server), message())
    assert (receipt.outcome, receipt.about, receipt.retry_after_s) == ("retry_after", about, 7)
