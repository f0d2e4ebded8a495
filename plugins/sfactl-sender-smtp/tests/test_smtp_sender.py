"""The SMTP sender against a server that follows a script: what each reply or broken connection means."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from sfactl_sender_smtp import sfactl_touchpoint_senders
from sfactl_sender_smtp.sender import SmtpSender
from sfactl_sender_smtp.settings import SmtpSettings

from sfactl.api.errors import PluginError
from sfactl.api.records import Message, Receipt
from sfactl.testkit import SenderSuite, SmtpSink

CLOSE = "close"
Script = Callable[[int, str], str | None]
"""(number of the connection from 1, the command or "END" for the end of data) → reply, CLOSE, or None for the usual."""

USUAL = {"EHLO": "250-here\r\n250-STARTTLS\r\n250 SIZE", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go"}
USUAL |= {"END": "250 queued", "RSET": "250 ok", "QUIT": "221 bye", "AUTH": "535 no"}


class Server:
    """Follows a script and keeps what it was given."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None, features: tuple[str, ...] = ()) -> None:
        self.script, self.tls, self.features = script, tls, features
        self.taken: list[bytes] = []
        self.commands: list[str] = []
        self.connections = 0
        self._wrapped: list[ssl.SSLSocket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for client in self._wrapped:
            client.close()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            try:
                self._talk(client, self.connections)
            except (OSError, ssl.SSLError):
                pass
            finally:
                client.close()

    def _talk(self, client: socket.socket, number: int) -> None:
        client.sendall(b"220 here\r\n")
        lines = client.makefile("rb")
        while line := lines.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "STARTTLS" and self.tls:
                client.sendall(b"220 go\r\n")
                lines.close()
                client = self.tls.wrap_socket(client, server_side=True)
                self._wrapped.append(client)
                lines = client.makefile("rb")
                continue
            if not self._reply(client, number, command, verb):
                return
            if verb == "DATA" and not self.script(number, command) and not self._body(client, lines, number):
                return

    def _body(self, client: socket.socket, lines: object, number: int) -> bool:
        if self.script(number, "BODY") == CLOSE:
            return False
        body = b""
        while (line := lines.readline()) not in (b".\r\n", b""):  # type: ignore[attr-defined]
            body += line[1:] if line.startswith(b"..") else line
        if self.script(number, "END") in (None, "kept, then " + CLOSE):
            self.taken.append(body)
        return self._reply(client, number, "END", "END")

    def _reply(self, client: socket.socket, number: int, command: str, verb: str) -> bool:
        said = self.script(number, command)
        if said and said.endswith(CLOSE):
            return False
        usual = USUAL.get(verb, "500 what")
        if verb == "EHLO":
            usual = "\r\n".join(["250-here", *(f"250-{f}" for f in self.features), "250 SIZE"])
        client.sendall((said or usual).encode() + b"\r\n")
        return True


class Context:
    """What the host would hand over."""

    workspace = Path()
    tenant = "t"

    def __init__(self, secrets: Mapping[str, str] | None = None) -> None:
        self.secrets = secrets or {}
        self.checked: list[str] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 9, 0)

    def secret(self, reference: str) -> str:
        return self.secrets[reference]

    def check_host(self, host: str) -> None:
        self.checked.append(host)
        if host == "evil.example":
            raise PluginError("not declared")

    def log(self, message: str) -> None: ...

    def http(self, **_: object) -> object:
        raise AssertionError("SMTP needs no HTTP")


class TestConformance(SenderSuite):
    """The suite for all senders, with a real server."""

    plugin = "sfactl_sender_smtp"
    offer = "smtp"

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Iterator[Mapping[str, object]]:
        with SmtpSink(tmp_path / "sink") as self.sink:
            yield {"host": self.sink.host, "port": self.sink.port, "tls": "none"}

    def delivered(self) -> Sequence[str]:
        return [str(d.message["Subject"]) for d in self.sink.delivered()]


def message(n: int = 1, recipient: str = "wang@example.com", **changes: str) -> Message:
    values = {"subject": "您好，王小明：春季研討會邀請函與交通資訊，請務必先行報名", "text": "Hi\r\n.dot\r\n"} | changes
    return Message(
        key=f"key-{n}",
        channel="email",
        recipient=recipient,
        sender="台灣精機 <news@acme.example>",
        headers={"List-Unsubscribe": "<mailto:u@acme.example>"},
        **values,
    )


@contextmanager
def serving(script: Script = lambda n, c: None, **kw: object) -> Iterator[Server]:
    server = Server(script, **kw)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()


def sender_for(server: Server, **settings: object) -> SmtpSender:
    values = {"host": "127.0.0.1", "port": server.port, "tls": "none", "timeout_s": 20.0} | settings
    return SmtpSender(SmtpSettings(**values), Context({"env:PW": "hunter2"}))  # type: ignore[arg-type]


def send(sender: SmtpSender, *messages: Message) -> list[Receipt]:
    try:
        return list(sender.send(messages))
    finally:
        sender.close()


def at(command: str, said: str, *, connection: int | None = None) -> Script:
    return lambda n, c: said if c.upper().startswith(command) and connection in (None, n) else None


@pytest.mark.parametrize(
    ("script", "outcome", "detail"),
    [
        pytest.param(lambda n, c: None, "accepted", "250 queued", id="accepted"),
        pytest.param(at("RCPT", "550 no such user"), "refused", "550 no such user", id="no-such-user"),
        pytest.param(at("MAIL", "553 bad sender"), "refused", "553", id="sender-refused"),
        pytest.param(at("END", "554 spam"), "refused", "554 spam", id="content-refused"),
        pytest.param(at("RCPT", "451 greylisted"), "retry_after", "451", id="greylisted"),
        pytest.param(at("DATA", "452 disk full"), "retry_after", "452", id="disk-full"),
        pytest.param(at("END", "451 try later"), "retry_after", "451", id="try-later-after-data"),
        pytest.param(at("MAIL", "421 closing"), "retry_after", "421", id="closing"),
        pytest.param(at("RCPT", CLOSE), "retry_after", "before the message was taken", id="lost-at-rcpt"),
        pytest.param(at("BODY", CLOSE), "retry_after", "before the message was taken", id="lost-in-body"),
        pytest.param(at("END", "kept, then " + CLOSE), "unknown", "connection lost after DATA", id="lost-after-dot"),
        pytest.param(at("END", "999 what?"), "unknown", "", id="nonsense-after-dot"),
    ],
)
def test_receipt_says_what_is_known(script: Script, outcome: str, detail: str) -> None:
    # A reader who leaves early is only noticed while sending if the body is larger than the socket's buffers.
    lines = 40_000 if script(1, "BODY") else 1
    with serving(script) as server:
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
    sender = SmtpSender(SmtpSettings(host="127.0.0.1", port=port, tls="none", retry_after_s=7), Context())
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
        sender = sender_for(server, user="u", password="env:PW")
        problem = sender.check().problems[0]
        [receipt] = send(sender, message())
    assert "refused the login of u: 535" in problem
    assert "hunter2" not in problem + receipt.detail
    assert receipt.outcome == "retry_after"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    openssl = shutil.which("openssl")
    assert openssl, "the tests of TLS need the openssl command"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True
    )
    return folder


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "self-signed"])
def test_starttls_is_verified(certificate: Path, trusted: bool) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    with serving(tls=tls, features=("STARTTLS",)) as server:
        sender = sender_for(server, tls="starttls", ca_file=str(certificate / "cert.pem") if trusted else "")
        report = sender.check()
        [receipt] = send(sender, message())
    assert receipt.outcome == ("accepted" if trusted else "retry_after")
    assert report.facts.get("tls", "").startswith("TLS") if trusted else "could not be trusted" in report.problems[0]


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear() -> None:
    with serving() as server:
        [receipt] = send(sender_for(server, tls="starttls"), message())
    assert receipt.outcome == "retry_after"
    assert not server.taken


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
    sender = SmtpSender(SmtpSettings(host="evil.example"), Context())
    with pytest.raises(PluginError):
        sender.check()


def test_the_offer_names_what_exists() -> None:
    [offer] = sfactl_touchpoint_senders()
    assert (offer.name, offer.channel, offer.hosts, offer.secrets) == (
        "smtp",
        "email",
        ("setting:host",),
        ("password", "dkim_private_key", "dkim_second_private_key"),
    )
    assert not offer.capabilities
