"""A DNS server on loopback that knows what a test tells it, over UDP and TCP. Needs dnspython.

A name it does not know is answered with NXDOMAIN, as a real one would; what is too long for UDP is cut, so that the
client comes again over TCP.
"""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

HEAD = 2
"""Bytes that say how long a message over TCP is (RFC 1035, 4.2.2)."""


LARGEST = 65535


@dataclass(slots=True)
class DnsServer:
    """Answers from ``records``: ``NAME TYPE`` → values as in a zone file, without quotes for TXT.

    ``silent`` names get no answer at all. Use it as a context manager; ``address`` is ``IP:PORT``. ``asked`` holds what
    was asked for.
    """

    records: Mapping[str, list[str]]
    silent: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    _servers: list[socketserver.BaseServer] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where it listens."""
        where: Any = self._servers[0].server_address
        return f"{where[0]}:{where[1]}"

    def answer(self, wire: bytes, *, largest: int | None) -> bytes:
        """The answer to a question, empty for none; cut where it is longer than ``largest``."""
        import dns.flags
        import dns.message
        import dns.rcode
        import dns.rrset

        question = dns.message.from_wire(wire)
        [asked] = question.question
        name = asked.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked.append(f"{name} {kind}")
        if name in self.silent:
            return b""
        reply = dns.message.make_response(question, recursion_available=True)
        values = self.records.get(f"{name} {kind}", [])
        if values:
            shown = [_quoted(v) if kind == "TXT" else v for v in values]
            reply.answer.append(dns.rrset.from_text(asked.name, 300, asked.rdclass, asked.rdtype, *shown))
        elif not any(known.split()[0] == name or known.split()[0].endswith(f".{name}") for known in self.records):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        whole: bytes = reply.to_wire(max_size=LARGEST)
        if largest is not None and len(whole) > max(largest, question.payload):
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            whole = reply.to_wire()
        return whole

    def __enter__(self) -> Self:
        """Listen on a port that is free for both UDP and TCP."""
        while not self._servers:
            udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), self._handler(over_tcp=False))
            try:
                tcp = socketserver.ThreadingTCPServer(udp.server_address, self._handler(over_tcp=True))
            except OSError:  # somebody else has the port over TCP
                udp.server_close()
            else:
                self._servers = [udp, tcp]
        self._threads = [threading.Thread(target=s.serve_forever, args=(0.02,), daemon=True) for s in self._servers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        for server, thread in zip(self._servers, self._threads):
            server.shutdown()
            server.server_close()
            thread.join(5)

    def _handler(self, *, over_tcp: bool) -> type[socketserver.BaseRequestHandler]:
        answer = self.answer

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                if over_tcp:
                    connection: Any = self.request
                    length = int.from_bytes(connection.recv(HEAD), "big")
                    said = answer(connection.recv(length), largest=None)
                    connection.sendall(len(said).to_bytes(HEAD, "big") + said)
                elif said := answer(self.request[0], largest=512):
                    self.request[1].sendto(said, self.client_address)

        return Handler


def _quoted(text: str) -> str:
    """A TXT value in its parts of 255 bytes at most."""
    escaped = [
        text[start : start + 255].replace("\\", "\\\\").replace('"', '\\"') for start in range(0, len(text), 255)
    ]
    return " ".join(f'"{part}"' for part in escaped or [""])
