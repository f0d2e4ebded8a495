"""Send messages over one SMTP connection and say of each exactly what is known.

A failure before the final dot left is safe to repeat, because a server must not deliver what it has not received whole
(RFC 5321, 4.1.1.4). From the dot on, only the server's answer tells; without it the outcome is unknown. With PIPELINING
the same holds for each message by its own dot: that the next one was announced changes nothing for either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError, DataError
from sfactl.api.mail import ascii_domain
from sfactl.api.records import CheckReport, DomainFinding, Message, Outcome, Reach, Receipt
from sfactl_sender_smtp.connection import Connection, Unreachable
from sfactl_sender_smtp.exchange import CLOSING, Broken, Exchange, Reply
from sfactl_sender_smtp.letter import Letter, write_letter
from sfactl_sender_smtp.settings import SmtpSettings
from sfactl_sender_smtp.signing import Signer

BUSY = frozenset({"4.3.2", "4.4.5"})
"""The server takes nothing now, or is congested (RFC 3463, 3.4 and 3.5)."""

FLOODED = "4.7.28"
"""The recipient's domain gets too much mail (IANA's registry of enhanced status codes)."""


class SmtpSender:
    """A touchpoint sender for e-mail."""

    def __init__(self, settings: SmtpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._connection = Connection(settings, context)
        self._signer = Signer(settings, context)
        self._looks_ahead = True

    def check(self) -> CheckReport:
        """Read the keys, connect, greet, secure and log in; nothing is sent."""
        facts = {"host": f"{self._settings.host}:{self._settings.port}"}
        try:
            signed = self._signer.summary()
            exchange = self._connection.open()
        except (ConfigError, Unreachable) as err:
            return CheckReport(facts=facts, problems=(str(err),))
        facts |= {
            "tls": self._connection.tls,
            "extensions": ", ".join(sorted(exchange.server.esmtp_features)),
            "pipelining": "yes" if exchange.pipelining else "no",
            "dkim": signed or "not signed",
        }
        return CheckReport(facts=facts)

    def check_domain(self, domain: str, selectors: Sequence[str] = ()) -> Sequence[DomainFinding]:
        """What DNS says about mail From ``domain``. Raises `TryLater` where DNS does not answer."""
        from sfactl_sender_smtp.domain.check import check_domain  # late: sending asks no DNS
        from sfactl_sender_smtp.domain.names import Names, endpoint

        nameserver = self._settings.nameserver
        if nameserver:
            self._context.check_host(endpoint(nameserver)[0])
        return tuple(check_domain(Names(nameserver), domain, self._settings, self._signer.keys, selectors))

    def signatures(self, mail: bytes, author: str, domain: str = "") -> tuple[bytes, Sequence[str]]:
        """The DKIM headers for a mail that somebody else wrote. Raises `ConfigError`, `DataError`."""
        if not self._signer.keys:
            raise ConfigError("dkim_selector, dkim_private_key: missing: there is no key to sign with")
        named = domain or ascii_domain(self._settings.dkim_domain) or author
        try:
            headers = self._signer.over(mail, named)
        except ValueError as err:
            raise DataError(str(err)) from None
        return headers, [f"{key.selector}._domainkey.{named} ({key.algorithm})" for key in self._signer.keys]

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Send one by one; a failure of one never holds the others, an unreachable server holds all that are left."""
        unreachable = ""
        letters = self._letters(messages)
        item = next(letters, None)
        try:
            while item is not None:
                following = next(letters, None)
                if isinstance(item, Letter) and not unreachable:
                    try:
                        item = self._send(item, following if isinstance(following, Letter) else None)
                    except Unreachable as err:
                        unreachable = str(err)
                yield self._later(item.key, unreachable, "sender") if isinstance(item, Letter) else item
                item = following
        finally:
            # Who stops listening leaves an announced letter behind, and of that nothing may be sent any more.
            if self._connection.announced:
                self._connection.drop()

    def close(self) -> None:
        """Say goodbye to the server."""
        self._connection.close()

    def _letters(self, messages: Sequence[Message]) -> Iterator[Letter | Receipt]:
        """The letter of each message when it is its turn, or why there is none."""
        return_path = self._settings.return_path
        for message in messages:
            try:
                now = self._context.now()
                yield write_letter(message, now=now, return_path=return_path, sign=self._signer.signatures)
            except ConfigError as err:
                yield self._later(message.key, str(err), "sender")
            except ValueError as err:
                yield _receipt(message.key, "refused", f"not sent, it cannot be written as an e-mail: {err}")

    def _send(self, letter: Letter, following: Letter | None) -> Receipt:
        lost, pipelining = "", True
        for _ in range(2):
            exchange = self._connection.open(pipelining=pipelining)
            if objection := exchange.objection(letter):
                return _receipt(letter.key, "refused", objection)
            fresh = not exchange.taken
            try:
                reply = exchange.announce(letter)
                if reply is None:
                    exchange.text(letter)
            except Broken as err:
                # A server may close an idle connection at any time; that shows on the first command. One that closes
                # a new connection may not bear commands in one go, whatever it said.
                self._connection.drop()
                lost, pipelining = str(err), not fresh
                continue
            if reply is None:
                return self._finish(exchange, letter, following)
            return self._answered(letter, reply, before_data=True)
        return self._later(letter.key, f"connection lost before the message was taken: {lost}")

    def _finish(self, exchange: Exchange, letter: Letter, following: Letter | None) -> Receipt:
        try:
            reply = exchange.finish(following if self._may_follow(exchange, following) else None)
        except Broken as err:
            # Should the server have stumbled over the next message's commands, it must not do so again and again.
            self._looks_ahead = self._looks_ahead and not exchange.announced
            self._connection.drop()
            return _receipt(letter.key, "unknown", f"connection lost after DATA: {err}")
        return self._answered(letter, reply, before_data=False)

    def _may_follow(self, exchange: Exchange, following: Letter | None) -> bool:
        if following is None or not self._looks_ahead or exchange.objection(following):
            return False
        return not self._settings.messages_per_connection or exchange.taken + 1 < self._settings.messages_per_connection

    def _answered(self, letter: Letter, reply: Reply, *, before_data: bool) -> Receipt:
        family = reply.code // 100
        if family == 4:
            receipt = self._later(letter.key, reply.text, _reach(reply))
        elif family == 5:
            receipt = _receipt(letter.key, "refused", reply.text)
        elif family == 2 and not before_data:
            receipt = _receipt(letter.key, "accepted", reply.text)
        else:
            # A reply outside RFC 5321 to the message itself says nothing about whether it was taken.
            self._connection.drop()
            return self._later(letter.key, reply.text) if before_data else _receipt(letter.key, "unknown", reply.text)
        self._connection.spare()
        return receipt

    def _later(self, key: str, detail: str, about: Reach = "message") -> Receipt:
        wait = self._settings.retry_after_s
        return Receipt(key=key, outcome="retry_after", detail=detail, retry_after_s=wait, about=about)


def _reach(reply: Reply) -> Reach:
    """For whom a "not now" holds, as far as the code or the enhanced status (RFC 3463) tells."""
    status = reply.text.partition(" ")[2].partition(" ")[0]
    if reply.code == CLOSING or status in BUSY:
        return "sender"
    return "domain" if status == FLOODED else "message"


def _receipt(key: str, outcome: Outcome, detail: str) -> Receipt:
    return Receipt(key=key, outcome=outcome, detail=detail)
