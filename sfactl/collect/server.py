"""Serve the collector over HTTP with waitress: limits on sizes, connections and slow clients; no addresses are kept.

It listens and never connects anywhere. TLS is the reverse proxy's.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from sfactl.collect.answers import plain
from sfactl.collect.collector import BODY_BYTES, EVENTS_BYTES
from sfactl.collect.model import Answer, Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from sfactl.collect.collector import Collector

HEADER_BYTES = 16 << 10
REQUEST_S = 15
"""A request that has not arrived whole after so many seconds is dropped, however busily it drips; so is silence."""
CONNECTIONS = 1000
TOO_LARGE = "413 Request Entity Too Large"
LOG = logging.getLogger("sfactl.collect")


def application(collector: Collector) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The collector as WSGI (PEP 3333) has it."""

    def called(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        most = collector.takes(environ["PATH_INFO"])
        request = Request(
            method=environ["REQUEST_METHOD"],
            path=environ["PATH_INFO"],
            query=environ.get("QUERY_STRING", ""),
            headers=_headers(environ),
            body=environ["wsgi.input"].read(most + 1),
        )
        try:
            answer = plain("", TOO_LARGE) if len(request.body) > most else collector.answer(request)
        except Exception:
            LOG.exception("a request could not be answered")
            answer = plain("", "500 Internal Server Error")
        start(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
        return _body(request, answer)

    return called


def _body(request: Request, answer: Answer) -> list[bytes]:
    return [] if request.method == "HEAD" else [answer.body]


def _headers(environ: WSGIEnvironment) -> dict[str, str]:
    found = {
        name[5:].lower().replace("_", "-"): str(value) for name, value in environ.items() if name.startswith("HTTP_")
    }
    return {**found, "content-type": environ.get("CONTENT_TYPE", "")}


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that knows since when a request has been arriving."""

    arriving_since = 0.0

    def received(self, data: bytes) -> bool:
        """As it is, and the time is noted when a request begins and forgotten when it is whole."""
        begun = self.request is not None
        done = bool(super().received(data))
        if self.request is None:
            self.arriving_since = 0.0
        elif not begun or not self.arriving_since:
            self.arriving_since = time.time()
        return done


class Server(TcpWSGIServer):  # type: ignore[misc]
    """Waitress, with an end to requests that never get whole, and a look at the spool now and then."""

    channel_class = Channel
    every: Callable[[], None] | None = None
    stopping = False

    def maintenance(self, now: float) -> None:
        """Called every second."""
        if self.stopping:
            raise SystemExit
        super().maintenance(now)
        for channel in list(self.active_channels.values()):
            if channel.arriving_since and now - channel.arriving_since > self.adj.channel_timeout:
                channel.will_close = True
        if self.every is not None:
            self.every()

    def end(self) -> None:
        """Close every connection, and listen no more."""
        wasyncore.close_all(self._map, ignore_all=True)

    def stop(self) -> None:
        """End `run`, from any thread, within a second."""
        self.stopping = True


def server_of(
    collector: Collector,
    *,
    host: str,
    port: int,
    threads: int,
    every: Callable[[], None],
    request_s: int = REQUEST_S,
) -> Server:
    """A server that listens already. Raises `OSError` where the address is taken."""
    logging.getLogger("waitress").setLevel(logging.ERROR)
    sockets: dict[int, Any] = {}
    limits = {
        "max_request_header_size": HEADER_BYTES,
        "max_request_body_size": EVENTS_BYTES if collector.listeners else BODY_BYTES,
        "inbuf_overflow": BODY_BYTES * 2,
        "connection_limit": CONNECTIONS,
        "channel_timeout": request_s,
        "cleanup_interval": 1,
    }
    try:
        made = Server(
            application(collector),
            map=sockets,
            host=host,
            port=port,
            threads=threads,
            ident="",
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
            log_socket_errors=False,
            **limits,
        )
    except OSError:
        wasyncore.close_all(sockets, ignore_all=True)
        raise
    made.every = every
    return made


@contextmanager
def stopped_by_signal() -> Iterator[None]:
    """SIGTERM ends the server as Ctrl-C does: what is being answered is answered first."""

    def stop(_number: int, _frame: FrameType | None) -> Any:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
