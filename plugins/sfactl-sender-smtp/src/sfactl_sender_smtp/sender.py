"""Send messages over one SMTP connection and say of each exactly what is known.

A failure before the final dot left is safe to repeat, because a server must not deliver what it has not received whole
(RFC 5321, 4.1.1.4). From the dot on, only the server's answer tells; without it the outcome is unknown.
"""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator, Sequence
from functools import lru_cache

from sfactl.api.context import PluginContext
from sfactl.api.mail import address, email_message, needs_utf8, policy
from sfactl.api.records import CheckReport, Message, Outcome, Receipt
from sfactl_sender_smtp.connection import Connection, Unreachable
from sfactl_sender_smtp.settings import SmtpSettings

_LINE_DOT = re.compile(rb"(?m)^\.")
_CLOSING = 421


class _NotTaken(Exception):
    """The connection broke while the server could not yet have the whole message."""


class _Lost(Exception):
    """The connection broke after the whole message had left."""


class SmtpSender:
    """A touchpoint sender for e-mail."""

    def __init__(self, settings: SmtpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._connection = Connection(settings, context)

    def check(self) -> CheckReport:
        """Connect, greet, secure and log in; nothing is sent."""
        try:
            server = self._connection.open()
        except Unreachable as err:
            return CheckReport(facts={"host": self._settings.host}, problems=(str(err),))
        facts = {
            "host": f"{self._settings.host}:{self._settings.port}",
            "tls": self._connection.tls,
            "extensions": ", ".join(sorted(server.esmtp_features)),
        }
        return CheckReport(facts=facts)

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Send one by one; a failure of one never holds the others, an unreachable server holds all that are left."""
        unreachable: Unreachable | None = None
        for message in messages:
            if unreachable is None:
                try:
                    yield self._send(message)
                    continue
                except Unreachable as err:
                    unreachable = err
            yield self._later(message, str(unreachable), self._settings.retry_after_s)

    def close(self) -> None:
        """Say goodbye to the server."""
        self._connection.close()

    def _send(self, message: Message) -> Receipt:
        # A server may close an idle connection at any time; that shows on the first command of the next message.
        for attempt in (1, 2):
            server = self._connection.open()
            try:
                return self._deliver(server, message)
            except _NotTaken as err:
                self._connection.drop()
                if attempt == 2:
                    return self._later(message, f"connection lost before the message was taken: {err}")
            except _Lost as err:
                self._connection.drop()
                return self._receipt(message, "unknown", f"connection lost after DATA: {err}")
        raise AssertionError("unreachable")

    def _deliver(self, server: smtplib.SMTP, message: Message) -> Receipt:
        try:
            utf8 = needs_utf8(message)
            body = email_message(message, now=self._context.now(), utf8=utf8).as_bytes(policy=policy(utf8=utf8))
            sender, recipient = (_wire(a) for a in (self._settings.return_path or message.sender, message.recipient))
        except (ValueError, UnicodeError) as err:
            return self._receipt(message, "refused", f"not sent, it cannot be written as an e-mail: {err}")
        if utf8 and not server.has_extn("smtputf8"):
            return self._receipt(message, "refused", "not sent, the server does not take addresses outside ASCII")
        server.command_encoding = "utf-8" if utf8 else "ascii"
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        commands = (
            (f"MAIL FROM:<{sender}>{''.join(f' {o}' for o in options)}", {250}),
            (f"RCPT TO:<{recipient}>", {250, 251}),
            ("DATA", {354}),
        )
        for command, good in commands:
            try:
                code, text = server.docmd(command)
            except (OSError, smtplib.SMTPException) as err:
                raise _NotTaken(_why(err)) from err
            if code not in good:
                return self._answer(server, message, code, text, before_data=True)
        return self._data(server, message, body)

    def _data(self, server: smtplib.SMTP, message: Message, body: bytes) -> Receipt:
        stuffed = _LINE_DOT.sub(b"..", body)
        try:
            server.send(stuffed if stuffed.endswith(b"\r\n") else stuffed + b"\r\n")
        except (OSError, smtplib.SMTPException) as err:
            raise _NotTaken(_why(err)) from err
        try:
            server.send(b".\r\n")
            code, text = server.getreply()
        except (OSError, smtplib.SMTPException) as err:
            raise _Lost(_why(err)) from err
        return self._answer(server, message, code, text, before_data=False)

    def _answer(self, server: smtplib.SMTP, message: Message, code: int, text: bytes, *, before_data: bool) -> Receipt:
        said = f"{code} {text.decode('utf-8', 'replace')}".strip()
        if code == _CLOSING:
            self._connection.drop()
        elif before_data:
            self._reset(server)
        if 200 <= code < 300 and not before_data:
            return self._receipt(message, "accepted", said)
        if 500 <= code < 600:
            return self._receipt(message, "refused", said)
        if 400 <= code < 500:
            return self._later(message, said)
        self._connection.drop()
        # A reply outside RFC 5321 to the message itself says nothing about whether it was taken.
        return self._later(message, said) if before_data else self._receipt(message, "unknown", said)

    def _reset(self, server: smtplib.SMTP) -> None:
        try:
            server.rset()
        except (OSError, smtplib.SMTPException):
            self._connection.drop()

    def _later(self, message: Message, detail: str, after_s: float | None = None) -> Receipt:
        wait = self._settings.retry_after_s if after_s is None else after_s
        return Receipt(key=message.key, outcome="retry_after", detail=detail, retry_after_s=wait)

    @staticmethod
    def _receipt(message: Message, outcome: Outcome, detail: str) -> Receipt:
        return Receipt(key=message.key, outcome=outcome, detail=detail)


@lru_cache(maxsize=256)
def _wire(text: str) -> str:
    """An address as SMTP wants it: the domain in its ASCII form."""
    local, _, domain = address(text).rpartition("@")
    return f"{local}@{domain.encode('idna').decode('ascii')}"


def _why(err: Exception) -> str:
    return str(err) or type(err).__name__
