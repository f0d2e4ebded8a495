"""The SMTP dialogue over one open connection, in one go where the server offers PIPELINING (RFC 2920).

Commands go out as a group and their replies are read in the same order. The final dot of a message may carry the
commands of the next one (RFC 2920, 3.1), but never its text: before a message's own dot nothing of it can have been
taken, and after it only the server's reply to that dot tells.
"""

from __future__ import annotations

import contextlib
import smtplib
from dataclasses import dataclass

from sfactl_sender_smtp.letter import Letter

CLOSING = 421
GO_ON = 354


class Broken(Exception):
    """The connection broke, or nothing came in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said; ``text`` has the code in front."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class _Command:
    line: str
    good: frozenset[int]


_ANY = frozenset(range(1000))
_RESET = _Command("RSET", _ANY)
_DATA = _Command("DATA", frozenset({GO_ON}))


class Exchange:
    """Hands letters to ``server``, one transaction after the other. ``broken`` is set when it cannot go on."""

    def __init__(self, server: smtplib.SMTP, *, pipelining: bool, answer_wait_s: float) -> None:
        self.server = server
        self.pipelining = pipelining and server.has_extn("pipelining")
        self.broken = False
        self.taken = 0
        self._answer_wait_s = answer_wait_s
        self._announced: tuple[Letter, list[_Command]] | None = None
        self._in_doubt = False

    @property
    def announced(self) -> bool:
        """Whether a letter was announced whose replies have not been read."""
        return self._announced is not None

    def objection(self, letter: Letter) -> str:
        """Why the server cannot take ``letter``, by its own word; empty if it says nothing against it."""
        if letter.utf8 and not self.server.has_extn("smtputf8"):
            return "not sent, the server does not take addresses outside ASCII"
        largest = self.server.esmtp_features.get("size", "")
        if largest.isdigit() and 0 < int(largest) < letter.size:
            return f"not sent, it has {letter.size:,} bytes and the server takes at most {int(largest):,}"
        return ""

    def announce(self, letter: Letter) -> Reply | None:
        """Tell sender and recipient and ask for the go-ahead: None, or the reply that stands in the way.

        Raises `Broken`; nothing of the letter's text has left then.
        """
        if self._announced is not None and self._announced[0] is letter:
            commands = self._announced[1]
            self._announced = None
            return self._replies(commands)
        commands = self._commands(letter)
        if self.pipelining:
            self._send(_lines(commands))
            return self._replies(commands)
        for command in commands:
            self._send(_lines([command]))
            reply = self._reply()
            if reply.code not in command.good:
                self._in_doubt = True
                return reply
        return None

    def text(self, letter: Letter) -> None:
        """Send the text, all but the final dot. Raises `Broken`: the server cannot have the whole of it."""
        self._send(letter.body)

    def finish(self, following: Letter | None) -> Reply:
        """Send the final dot and wait for what the server says to it; ``following`` is announced in the same go.

        Raises `Broken`; from here on the server may have taken the letter all the same.
        """
        after: list[_Command] = []
        if following is not None and self.pipelining:
            after = self._commands(following)
            self._announced = (following, after)
        assert self.server.sock is not None
        usual = self.server.sock.gettimeout()
        self._send(b".\r\n" + _lines(after))
        self.server.sock.settimeout(self._answer_wait_s)
        reply = self._reply()
        if self.server.sock is not None:
            self.server.sock.settimeout(usual)
        self.taken += 1
        return reply

    def _commands(self, letter: Letter) -> list[_Command]:
        options = f" SIZE={letter.size}" if self.server.has_extn("size") else ""
        options += " SMTPUTF8 BODY=8BITMIME" if letter.utf8 else ""
        commands = [_RESET] if self._in_doubt else []
        self._in_doubt = False
        return [
            *commands,
            _Command(f"MAIL FROM:<{letter.sender}>{options}", frozenset({250})),
            _Command(f"RCPT TO:<{letter.recipient}>", frozenset({250, 251})),
            _DATA,
        ]

    def _replies(self, commands: list[_Command]) -> Reply | None:
        """The replies to a group: all are read, the first bad one is the answer."""
        bad: Reply | None = None
        recipient_refused = False
        for command in commands:
            try:
                reply = self._reply()
            except Broken:
                if bad is None:
                    raise
                return bad
            if reply.code not in command.good:
                bad = bad or reply
                recipient_refused = recipient_refused or command.line.startswith("RCPT")
        if bad is not None:
            self._in_doubt = True
            if reply.code == GO_ON:
                self._end_empty(recipient_refused=recipient_refused)
        return bad

    def _end_empty(self, *, recipient_refused: bool) -> None:
        """It wants a text although there is nobody to get it: a lone dot ends that (RFC 2920, 3.1)."""
        if self.broken or not recipient_refused:
            self.broken = True  # to whomever it said yes, an empty message must not reach them
            return
        with contextlib.suppress(Broken):
            self._send(b".\r\n")
            self._reply()

    def _send(self, data: bytes) -> None:
        try:
            self.server.send(data)
        except (OSError, smtplib.SMTPException) as err:
            raise self._break(err) from err

    def _reply(self) -> Reply:
        try:
            code, said = self.server.getreply()
        except (OSError, smtplib.SMTPException) as err:
            raise self._break(err) from err
        if code == CLOSING:
            self.broken = True
        return Reply(code=code, text=f"{code} {said.decode('utf-8', 'replace')}".strip())

    def _break(self, err: Exception) -> Broken:
        self.broken = True
        return Broken(str(err) or type(err).__name__)


def _lines(commands: list[_Command]) -> bytes:
    # UTF-8 only ever stands in the addresses of a letter for which SMTPUTF8 was said.
    return "".join(f"{c.line}\r\n" for c in commands).encode()
