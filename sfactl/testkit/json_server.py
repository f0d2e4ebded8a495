"""A JSON server on loopback with paged records and faults on demand. It misbehaves only where a test says so."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

PageStyle = Literal["next-link", "page", "offset", "cursor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFault:
    """How one answer goes wrong.

    ``status`` answers with that status and ``retry_after`` as its header; ``half`` cuts the body in the middle;
    ``garbage`` answers HTML with status 200; ``drop`` takes the request and closes the connection without an answer;
    ``hang`` takes the request and stays silent until the server is closed; ``same`` answers the first page again;
    ``gzip`` says that a plain body is compressed; ``charset`` answers bytes that are not UTF-8; ``redirect`` sends to
    ``location``.
    """

    kind: Literal["status", "half", "garbage", "drop", "hang", "same", "gzip", "charset", "redirect"] = "status"
    status: int = 500
    retry_after: str | None = None
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as the server saw it, before any fault."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class JsonServer:
    """Serves ``records`` page by page under ``/records`` and takes every POST.

    Use it as a context manager; ``url`` is its address. Each record that has ``updated`` is filtered by the parameter
    ``since`` (at or after). Pages look like ``{"data": {"items": [...]}, "next": ...}``. With ``honours_keys`` a POST
    whose Idempotency-Key was seen is answered again without being taken a second time; ``answer`` makes the answer to a
    POST where the caller needs one of its own form. ``requests`` holds all requests, ``taken`` the JSON bodies that
    were taken.
    """

    records: Sequence[Mapping[str, Any]] = ()
    page_size: int = 10
    style: PageStyle = "next-link"
    honours_keys: bool = False
    token: str | None = None
    post_status: int = 200
    requests: list[Seen] = field(default_factory=list)
    taken: list[Any] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=dict)
    faults: deque[ServerFault | None] = field(default_factory=deque)
    forever: ServerFault | None = None
    answer: Callable[[Seen], Any] | None = None
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None
    _closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the server is not running: use it in a with statement")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail(self, *faults: ServerFault | None) -> None:
        """The next answers go wrong, one fault each; None is one answer as it should be."""
        self.faults.extend(faults)

    def fail_always(self, fault: ServerFault | None) -> None:
        """Every answer from now on goes wrong, or none."""
        self.forever = fault

    def wait_for(self, requests: int, *, timeout_s: float = 60.0) -> None:
        """Wait until as many requests have come in; raises `TimeoutError` where they do not."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.requests) >= requests, timeout_s):
                raise TimeoutError(f"{len(self.requests)} requests came, not {requests}")

    def __enter__(self) -> Self:
        """Start on a free port."""
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop, and let go of requests that hang."""
        self._closing.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    def _next_fault(self) -> ServerFault | None:
        with self._lock:
            return self.faults.popleft() if self.faults else self.forever

    def _take(self, seen: Seen) -> Any:
        key = seen.headers.get("idempotency-key")
        with self._lock:
            if key is not None and self.honours_keys and key in self.keys:
                return self.keys[key]
            body = seen.json()
            self.taken.append(body)
            answer = {"id": f"r{len(self.taken)}"} if self.answer is None else self.answer(seen)
            if key is not None:
                self.keys[key] = answer
            return answer

    def page(self, params: Mapping[str, str]) -> dict[str, Any]:
        """The page that ``params`` ask for."""
        since = params.get("since", "")
        rows = [row for row in self.records if not since or str(row.get("updated", "")) >= since]
        start = self._start(params)
        end = start + self.page_size
        page: dict[str, Any] = {"data": {"items": rows[start:end]}, "total": len(rows)}
        if self.style == "next-link":
            tail = f"&since={since}" if since else ""
            page["next"] = f"/records?start={end}{tail}" if end < len(rows) else None
        elif self.style == "cursor":
            page["next"] = f"c{end}" if end < len(rows) else None
        return page

    def _start(self, params: Mapping[str, str]) -> int:
        if self.style == "page":
            return (int(params.get("page", "1")) - 1) * self.page_size
        if self.style == "offset":
            return int(params.get("offset", "0"))
        if self.style == "cursor":
            return int(params.get("cursor", "c0")[1:])
        return int(params.get("start", "0"))


class _Handler(BaseHTTPRequestHandler):
    """Answers for one `JsonServer`."""

    owner: JsonServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for the client's delayed acknowledgement

    def do_GET(self) -> None:
        """A page, unless a fault is due."""
        seen = self._seen()
        fault = self.owner._next_fault()
        if self._refused(seen) or (fault is not None and self._broken(fault)):
            return
        first = fault is not None and fault.kind == "same"
        body = json.dumps(self.owner.page({} if first else seen.params)).encode()
        self._answer(200, body, cut=fault is not None and fault.kind == "half")

    def do_POST(self) -> None:
        """Take the body, unless a fault is due. What is taken before the answer is lost stays taken."""
        seen = self._seen()
        fault = self.owner._next_fault()
        if self._refused(seen):
            return
        if fault is not None and fault.kind in {"drop", "hang", "half"} and self.owner.post_status < 300:
            self.owner._take(seen)
        if fault is not None and self._broken(fault):
            return
        if self.owner.post_status >= 300:
            self._answer(self.owner.post_status, b'{"error": "no"}')
            return
        body = json.dumps(self.owner._take(seen) if fault is None else {}).encode()
        self._answer(200, body, cut=fault is not None and fault.kind == "half")

    def _seen(self) -> Seen:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        seen = Seen(
            method=self.command,
            path=parts.path,
            params={key: values[-1] for key, values in parse_qs(parts.query).items()},
            headers={key.lower(): value for key, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        with self.owner._lock:
            self.owner.requests.append(seen)
            self.owner._lock.notify_all()
        return seen

    def _refused(self, seen: Seen) -> bool:
        if self.owner.token is None or seen.headers.get("authorization") == f"Bearer {self.owner.token}":
            return False
        self._answer(401, b'{"error": "token"}')
        return True

    def _broken(self, fault: ServerFault) -> bool:
        """Whether ``fault`` has taken the place of the answer."""
        if fault.kind == "status":
            extra = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            self._answer(fault.status, b'{"error": "injected"}', extra=extra)
        elif fault.kind == "garbage":
            self._answer(200, b"<html>Please log in</html>", kind="text/html")
        elif fault.kind == "gzip":
            self._answer(200, b'{"data": {"items": []}}', extra={"Content-Encoding": "gzip"})
        elif fault.kind == "charset":
            self._answer(200, '{"data": {"items": [{"name": "王小明"}]}}'.encode("big5"))
        elif fault.kind == "redirect":
            self._answer(302, b"", extra={"Location": fault.location})
        elif fault.kind == "hang":
            self.owner._closing.wait()
            self.close_connection = True
        elif fault.kind == "drop":
            self.close_connection = True
        else:
            return False
        return True

    def _answer(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        extra: Mapping[str, str] | None = None,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for key, value in (extra or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: tests read `JsonServer.requests`."""
