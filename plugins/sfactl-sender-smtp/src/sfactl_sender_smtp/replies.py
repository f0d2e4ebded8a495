"""Read a server's replies within bounds: one that never ends, or comes byte by byte, is given up as a lost one is."""

from __future__ import annotations

import io
import smtplib
import socket
import time
from typing import Any

LARGEST_REPLY = 64 * 1024
"""Bytes; RFC 5321, 4.5.3.1.5 allows a line 512, and nobody needs a hundred lines."""

LONGEST_REPLY = 5
"""A reply may take so many times what the connection waits for a sign of life."""


class _Bounded(io.RawIOBase):
    """Reads from a socket until a reply has had its share."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._left = 0
        self._until: float | None = None

    def begin(self) -> None:
        """A new reply begins."""
        self._left = LARGEST_REPLY
        wait_s = self._sock.gettimeout()
        self._until = None if wait_s is None else time.monotonic() + LONGEST_REPLY * wait_s

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if self._left <= 0:
            raise OSError(f"a reply of more than {LARGEST_REPLY:,} bytes")
        if self._until is not None and time.monotonic() > self._until:
            raise TimeoutError("a reply that does not come to its end")
        got = self._sock.recv_into(into)
        self._left -= got
        return got


class _Replies:
    """Gives a client of `smtplib` bounded replies."""

    sock: Any
    file: Any
    _bounded: _Bounded | None = None

    def getreply(self) -> tuple[int, bytes]:
        """The next reply; see `smtplib.SMTP.getreply`."""
        if self.file is None:  # smtplib forgets it with the connection, and when TLS begins
            self._bounded = _Bounded(self.sock)
            self.file = io.BufferedReader(self._bounded)
        assert self._bounded is not None
        self._bounded.begin()
        reply: tuple[int, bytes] = super().getreply()  # type: ignore[misc]
        return reply


class Server(_Replies, smtplib.SMTP):
    """A connection that begins in the clear."""


class TlsServer(_Replies, smtplib.SMTP_SSL):
    """A connection that begins with TLS."""
