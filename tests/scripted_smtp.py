"""An SMTP server in a thread that follows a script, so that a test can choose each reply and each broken connection.

With it come a sender to such a server, what the host would hand to it, and a message.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sfactl_sender_smtp.sender import SmtpSender
from sfactl_sender_smtp.settings import SmtpSettings

from sfactl.api.errors import PluginError
from sfactl.api.records import Message, Receipt
from sfactl.testkit import SmtpSink

CLOSE = "close"
KEPT_THEN_CLOSE = "kept, then " + CLOSE
Script = Callable[[int, str], str | None]
"""(number of the connection from 1, the command, "BODY" before the text or "END" after it) → what to do.

That is a reply, `CLOSE`, or None for the usual; at "END" also `KEPT_THEN_CLOSE`.
"""

USUAL = {"MAIL": "250 ok", "RCPT": "250 ok", "END": "250 queued", "RSET": "250 ok", "QUIT": "221 bye", "AUTH": "535 no"}


def usual(_connection: int, _command: str) -> str | None:
    """Nothing out of the usual."""
    return None


class ScriptedServer:
    """Follows a script and keeps what it was given: commands in order, and the texts of messages it said yes to."""

    def __init__(
        self,
        script: Script,
        tls: ssl.SSLContext | None = None,
        features: tuple[str, ...] = (),
        *,
        implicit: bool = False,
    ) -> None:
        self.script, self.tls, self.features, self.implicit = script, tls, features, implicit
        self.taken: list[bytes] = []
        self.commands: list[str] = []
        self.connections = 0
        self._wrapped: list[ssl.SSLSocket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the end of the thread."""
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
        if self.implicit:
            client = self._encrypt(client)
        client.sendall((self.script(number, "HELLO") or "220 here").encode() + b"\r\n")
        lines = client.makefile("rb")
        recipients = -1  # before MAIL
        while line := lines.readline():
            command = line.decode().strip()
            self.commands.append(command)
            verb = command.split(" ")[0].upper()
            if verb == "STARTTLS" and self.tls:
                client.sendall(b"220 go\r\n")
                lines.close()
                client = self._encrypt(client)
                lines = client.makefile("rb")
                continue
            said = self._reply(client, number, command, verb, recipients)
            if not said:
                return
            yes = said.startswith("25")
            recipients = {"RCPT": recipients + yes, "RSET": -1, "MAIL": 0 if yes else -1}.get(verb, recipients)
            if verb == "DATA" and said.startswith("354"):
                if not self._body(client, lines, number, recipients):
                    return
                recipients = -1

    def _encrypt(self, client: socket.socket) -> ssl.SSLSocket:
        assert self.tls is not None
        wrapped = self.tls.wrap_socket(client, server_side=True)
        self._wrapped.append(wrapped)
        return wrapped

    def _body(self, client: socket.socket, lines: BinaryIO, number: int, recipients: int) -> bool:
        if self.script(number, "BODY") == CLOSE:
            return False
        body = b""
        while (line := lines.readline()) not in (b".\r\n", b""):
            body += line[1:] if line.startswith(b"..") else line
        if not line:
            return False
        if recipients <= 0:
            return bool(self._reply(client, number, "END", "END", 0))
        said = self.script(number, "END") or USUAL["END"]
        if said.startswith("2") or said == KEPT_THEN_CLOSE:
            self.taken.append(body)
        if said.endswith(CLOSE):
            return False
        client.sendall(said.encode() + b"\r\n")
        return True

    def _reply(self, client: socket.socket, number: int, command: str, verb: str, recipients: int) -> str:
        """Say it; empty where the connection is to be closed."""
        said = self.script(number, command)
        if said and said.endswith(CLOSE):
            return ""
        if not said and verb == "EHLO":
            said = "\r\n".join(["250-here", *(f"250-{f}" for f in self.features), "250 HELP"])
        if not said and verb == "DATA":
            said = "354 go" if recipients > 0 else "503 no recipients"
        if not said and verb == "RCPT" and recipients < 0:
            said = "503 from whom?"
        if not said and verb == "END" and recipients <= 0:
            said = "554 no recipients"
        said = said or USUAL.get(verb, "500 what")
        client.sendall(said.encode() + b"\r\n")
        return said


@contextmanager
def serving(
    script: Script = usual,
    *,
    tls: ssl.SSLContext | None = None,
    features: tuple[str, ...] = (),
    implicit: bool = False,
) -> Iterator[ScriptedServer]:
    """A server for as long as the block runs."""
    server = ScriptedServer(script, tls, features, implicit=implicit)
    try:
        yield server
    finally:
        server.close()


def at(command: str, said: str, *, connection: int | None = None) -> Script:
    """A script with one thing out of the usual."""
    return lambda n, c: said if c.upper().startswith(command) and connection in (None, n) else None


class SenderContext:
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


def message(n: int = 1, recipient: str = "wang@example.com", **changes: Any) -> Message:
    """A message in Chinese with a line that begins with a dot."""
    values = {"subject": "您好，王小明：春季研討會邀請函與交通資訊，請務必先行報名", "text": "Hi\r\n.dot\r\n"} | changes
    values.setdefault("headers", {"List-Unsubscribe": "<mailto:u@acme.example>"})
    values.setdefault("sender", "台灣精機 <news@acme.example>")
    return Message(key=f"key-{n}", channel="email", recipient=recipient, **values)


def sender_to(port: int, *, secrets: Mapping[str, str] | None = None, **settings: Any) -> SmtpSender:
    """A sender to that port of this machine, by default in the clear."""
    values = {"host": "127.0.0.1", "port": port, "tls": "none", "timeout_s": 20.0, "retry_after_s": 7.0} | settings
    return SmtpSender(SmtpSettings(**values), SenderContext(secrets))


def sender_for(server: ScriptedServer | SmtpSink, **settings: Any) -> SmtpSender:
    """A sender to ``server``; see `sender_to`."""
    return sender_to(server.port, **settings)


def send(sender: SmtpSender, *messages: Message) -> list[Receipt]:
    """Send in one batch and close."""
    try:
        return list(sender.send(messages))
    finally:
        sender.close()
