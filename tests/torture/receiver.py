"""The receivers: each writes down every message that it takes before it answers, and that journal is the witness.

``plain`` and ``idempotent`` are HTTP, of which the second takes a key once; ``smtp`` speaks SMTP. They answer late, so
that many a runner is dead by then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, get_args

Kind = Literal["plain", "idempotent", "smtp"]
KINDS = get_args(Kind)
AGAIN = "again"
TAKEN = "taken"


@dataclass(slots=True, kw_only=True)
class Receiver:
    """One receiver process and its journal. ``drain`` ends it after it has dealt with all that reached it."""

    kind: Kind
    journal: Path
    slow_s: float
    port: int = 0
    _process: subprocess.Popen[str] | None = None
    _read: int = 0
    _seen: Counter[str] = field(default_factory=Counter)
    _again: int = 0

    def start(self) -> None:
        """Start the process, on the port that it had before."""
        self.journal.touch()
        command = [sys.executable, "-m", "tests.torture.receiver", self.kind, self.journal, self.port, self.slow_s]
        self._process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def drain(self) -> None:
        """Stop listening, finish what has come in, and end."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    @property
    def taken(self) -> Counter[str]:
        """How often each address was delivered to."""
        with self.journal.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            what, _, address = line.partition(" ")
            if what == TAKEN:
                self._seen[address] += 1
            else:
                self._again += 1
        return self._seen

    @property
    def count(self) -> int:
        """How many messages were taken."""
        return self.taken.total()

    @property
    def answered_again(self) -> int:
        """How often a key came that was known already, which an idempotent receiver answers without taking it."""
        return self._again

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


class _Journal:
    """Appends one line a message; with ``once`` a key is taken once, across restarts of the receiver too."""

    def __init__(self, path: Path, *, once: bool, slow_s: float) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._keys_path = path.with_suffix(".keys")
        self._keys_path.touch()
        self._keys = set(self._keys_path.read_text(encoding="utf-8").split())
        self._keys_file = os.open(self._keys_path, os.O_WRONLY | os.O_APPEND)
        self._once = once
        self._slow_s = slow_s
        self._lock = threading.Lock()

    def take(self, address: str, key: str) -> None:
        with self._lock:
            again = self._once and key in self._keys
            os.write(self._file, f"{AGAIN if again else TAKEN} {address}\n".encode())
            if not again:
                self._keys.add(key)
                os.write(self._keys_file, f"{key}\n".encode())

    def wait_s(self) -> float:
        return random.uniform(0, 2 * self._slow_s)


def _serve_http(journal: _Journal, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if len(body) < int(self.headers["Content-Length"]):
                self.close_connection = True
                return
            journal.take(json.loads(body)["recipient"], self.headers["Idempotency-Key"])
            time.sleep(journal.wait_s())
            answer = b'{"id": "1"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = False
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a runner that is dead does not hear the answer

    server = Server(("127.0.0.1", port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)
    server.server_close()


async def _serve_smtp(journal: _Journal, port: int) -> None:
    from aiosmtpd.smtp import SMTP

    connected: set[object] = set()

    class Handler:
        async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
            self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
        ) -> list[str]:
            """With commands in one go a runner dies while one message is on its way and the next one announced."""
            session.host_name = hostname
            return [responses[0], "250-PIPELINING", *responses[1:]]

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            for address in envelope.rcpt_tos:
                journal.take(address, "")
            await asyncio.sleep(journal.wait_s())
            return "250 OK"

    class Server(SMTP):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connected.add(self)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            connected.discard(self)
            super().connection_lost(error)

    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    server = await loop.create_server(lambda: Server(Handler()), "127.0.0.1", port, backlog=128)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()
    server.close()
    while connected:
        await asyncio.sleep(0.01)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.receiver")
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("journal", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("slow_s", type=float)
    asked = parser.parse_args()
    journal = _Journal(asked.journal, once=asked.kind == "idempotent", slow_s=asked.slow_s)
    if asked.kind == "smtp":
        asyncio.run(_serve_smtp(journal, asked.port))
    else:
        _serve_http(journal, asked.port)


if __name__ == "__main__":
    main()
