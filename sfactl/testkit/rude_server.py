"""A mail server or a web server of bad manners, as a process of its own: it does at one stage what a test asks of it.

What it takes for good it writes down first, so that its journal tells what really arrived. Everywhere else it behaves.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import signal
import socketserver
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

Protocol = Literal["smtp", "http"]
Stage = Literal["connect", "ehlo", "mail", "rcpt", "data", "body", "end"]
Deed = Literal["say", "close", "stall", "late", "drip", "flood"]

USUAL: Mapping[str, str] = {
    "connect": "220 here",
    "ehlo": "250 here",
    "mail": "250 fine",
    "rcpt": "250 fine",
    "data": "354 go on",
    "end": "250 taken",
}
DRIP_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """What goes wrong, and when.

    ``at`` is the stage: of SMTP the greeting (``connect``), a command, the text (``body``) or the answer to it
    (``end``); of HTTP ``connect``, ``body`` or ``end``. It ``does`` one of these: ``say`` ``text`` instead of the usual
    answer (of HTTP the whole answer), ``close`` the connection, ``stall`` until the client leaves, answer as usual but
    ``late`` by ``wait_s``, ``drip`` the answer byte by byte, ``flood`` with an answer that never ends. ``takes`` tells
    whether a message that has reached the stage ``end`` is kept all the same. Only every ``every``-th time, after
    ``sparing`` times, and no more than ``times`` times.
    """

    at: Stage
    does: Deed = "say"
    text: str = ""
    takes: bool = False
    wait_s: float = 0.0
    every: int = 1
    sparing: int = 0
    times: int = 1_000_000


@dataclass(slots=True)
class RudeServer:
    """The server process. Use it as a context manager; ``port`` is where it listens."""

    protocol: Protocol
    manner: Manner
    journal: Path
    port: int = 0
    _process: subprocess.Popen[str] | None = field(default=None)

    def __enter__(self) -> Self:
        """Start the process and wait until it listens."""
        self.journal.touch()
        asked = json.dumps(asdict(self.manner))
        command = [sys.executable, "-I", __file__, self.protocol, str(self.journal), asked]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process.stdout.close()

    @property
    def taken(self) -> list[str]:
        """The recipient of each message that was taken, in order."""
        return self.journal.read_text(encoding="utf-8").splitlines()


class _Turn:
    """Decides when the manner shows, over all connections, and keeps the journal."""

    def __init__(self, manner: Manner, journal: Path) -> None:
        self.manner = manner
        self._journal = journal
        self._lock = threading.Lock()
        self._seen = self._shown = 0

    def shows(self, stage: Stage) -> bool:
        if stage != self.manner.at:
            return False
        with self._lock:
            self._seen += 1
            due = self._seen > self.manner.sparing and (self._seen - self.manner.sparing - 1) % self.manner.every == 0
            shown = due and self._shown < self.manner.times
            self._shown += shown
            return shown

    def take(self, recipient: str) -> None:
        with self._lock, self._journal.open("a", encoding="utf-8") as file:
            file.write(f"{recipient}\n")


class _Left(Exception):
    """The connection is to be closed."""


class _Handler(socketserver.StreamRequestHandler, ABC):
    """One connection."""

    turn: _Turn
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Talk until one of the two has had enough."""
        with contextlib.suppress(_Left, OSError):
            self.talk()

    @abstractmethod
    def talk(self) -> None:
        """Speak the protocol."""

    def answer(self, stage: Stage, usual: bytes, ending: bytes, *, recipient: str = "") -> bool:
        """Say the usual, or do what the manner asks. Answers whether it was the usual."""
        turn, manner = self.turn, self.turn.manner
        shows = turn.shows(stage)
        if stage == "end" and (manner.takes or not shows):
            turn.take(recipient)
        if not shows:
            self.wfile.write(usual)
            return True
        said = manner.text.encode("utf-8", "surrogateescape") + ending if manner.text else usual
        if manner.does == "close":
            raise _Left
        if manner.does == "stall":
            self._await_the_end()
        elif manner.does == "flood":
            while True:
                self.wfile.write(said)
        elif manner.does == "drip":
            for byte in said:
                self.wfile.write(bytes([byte]))
                threading.Event().wait(DRIP_S)
        else:
            threading.Event().wait(manner.wait_s)
            self.wfile.write(said)
        return not manner.text

    def line(self) -> str:
        """The next line from the client."""
        got = self.rfile.readline(100_000)
        if not got.endswith(b"\n"):
            raise _Left
        return got.decode("utf-8", "replace").rstrip("\r\n")

    def _await_the_end(self) -> None:
        while self.connection.recv(65536):
            pass
        raise _Left


class _Smtp(_Handler):
    """Enough of RFC 5321 for a sender, one command at a time."""

    def talk(self) -> None:
        """Greet, take commands, answer each."""
        self._say("connect")
        recipients: list[str] = []
        while True:
            command = self.line()
            verb = command.split(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                self._say("ehlo")
            elif verb == "MAIL":
                recipients = []
                self._say("mail")
            elif verb == "RCPT":
                if self._say("rcpt"):
                    recipients.append(command.partition("<")[2].partition(">")[0])
            elif verb == "DATA":
                if self._say("data"):
                    self._text(recipients)
                recipients = []
            elif verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")

    def _text(self, recipients: list[str]) -> None:
        if self.turn.shows("body"):
            raise _Left
        while self.line() != ".":
            pass
        self._say("end", ",".join(recipients))

    def _say(self, stage: Stage, recipient: str = "") -> bool:
        return self.answer(stage, f"{USUAL[stage]}\r\n".encode(), b"\r\n", recipient=recipient)


class _Http(_Handler):
    """Enough of RFC 9112 for a POST."""

    def talk(self) -> None:
        """Take requests, answer each."""
        if self.turn.shows("connect"):
            raise _Left
        while request := self.line():
            if not re.match(r"(POST|PUT|GET) ", request):
                raise _Left
            length = 0
            while header := self.line():
                name, _, value = header.partition(":")
                length = int(value) if name.lower() == "content-length" else length
            if self.turn.shows("body"):
                raise _Left
            body = self.rfile.read(length)
            if len(body) < length:
                raise _Left
            usual = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id": "7"}'
            if not self.answer("end", usual, b"", recipient=str(json.loads(body)["recipient"])):
                raise _Left


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has left is no error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until the end: ``python -m sfactl.testkit.rude_server smtp JOURNAL '{"at": "end", "does": "close"}'``."""
    parser = argparse.ArgumentParser(prog="python -m sfactl.testkit.rude_server")
    parser.add_argument("protocol", choices=("smtp", "http"))
    parser.add_argument("journal", type=Path)
    parser.add_argument("manner")
    asked = parser.parse_args()
    turn = _Turn(Manner(**json.loads(asked.manner)), asked.journal)
    handler = type("Handler", (_Smtp if asked.protocol == "smtp" else _Http,), {"turn": turn})
    server = _Server(("127.0.0.1", 0), handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
