"""The HTTP session behind `sfactl.api.http`: urllib3 decides what is retried, this module where it may go and what an
answer means. A request that must not be repeated is sent once; what is not known about it is said, not guessed."""

from __future__ import annotations

import os
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies
from urllib3 import BaseHTTPResponse
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import ConnectTimeoutError, InvalidHeader, MaxRetryError, NewConnectionError, ResponseError
from urllib3.util.retry import Retry

from sfactl.api.errors import Ambiguous, AuthError, PluginError, RateLimited, ServerFault, SfactlError, Transient

ATTEMPTS = 4
BACKOFF_S = 0.5
CONNECT_TIMEOUT_S = 10.0

PATIENCE_S = 60.0
"""A server that asks for a longer wait gets none from us: the caller is told, and a later run goes on."""

LARGEST_ANSWER = 256 * 2**20
"""Bytes of one answer, unpacked; a page that is larger is a mistake, or would take all memory."""

LONGEST_ANSWER = 20
"""One answer may take so many times the time-out: a server that sends a byte now and then is not waited for."""

LONGEST_WAIT_S = 10 * 365 * 86_400
"""urllib3 would read any longer wait as six hours; the caller is told what the server said."""

_A_MOMENT = 1_000_000_000
"""A number of seconds from here on is one since 1970, not a wait."""

_SMALLER = "Ask for smaller pages, if the service can give them."
BUSY = frozenset({429, 502, 503, 504})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PatientRetry(Retry):
    """urllib3's retry that gives up at once where Retry-After asks for more than `PATIENCE_S`."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds the server asks us to wait; None where it says nothing that can be read."""
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None

    def wait_s(self, response: BaseHTTPResponse) -> float | None:
        """As `get_retry_after`, else what the headers of a rate limit say."""
        told = self.get_retry_after(response)
        return told if told is not None else _reset_in(response)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Count one attempt; see urllib3."""
        if response is not None and _pool is not None and (self.get_retry_after(response) or 0.0) > PATIENCE_S:
            raise MaxRetryError(_pool, url or "", ResponseError("asked for a long wait"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class GuardedAdapter(HTTPAdapter):
    """Checks the host of every request that is about to leave, redirects included."""

    def __init__(self, check_host: Callable[[str], None], retries: Retry) -> None:
        self._check_host = check_host
        super().__init__(max_retries=retries)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send, unless the host was not declared."""
        self._check_host(urlsplit(request.url or "").hostname or "")
        return super().send(request, *args, **kwargs)


class GuardedSession:
    """Implements `sfactl.api.http.HttpSession` for one base URL."""

    def __init__(
        self,
        *,
        base_url: str,
        check_host: Callable[[str], None],
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        backoff_s: float = BACKOFF_S,
    ) -> None:
        if urlsplit(base_url).scheme not in {"http", "https"} or not urlsplit(base_url).hostname:
            raise PluginError(f"{base_url!r} is not an http:// or https:// address")
        self._base_url = base_url
        self._check_host = check_host
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        again = PatientRetry(
            total=ATTEMPTS - 1,
            backoff_factor=backoff_s,
            backoff_jitter=backoff_s,
            status_forcelist=BUSY,
            allowed_methods=None,
            raise_on_status=False,
            respect_retry_after_header=True,
            retry_after_max=LONGEST_WAIT_S,
        )
        # A connection that was never made carried nothing, so even a request that must not be repeated may try again.
        once = Retry(
            total=None, connect=ATTEMPTS - 1, read=False, status=0, other=0, redirect=0, backoff_factor=backoff_s
        )
        self._repeatable = _session(GuardedAdapter(check_host, again), headers)
        self._once = _session(GuardedAdapter(check_host, once), headers)
        for session in (self._repeatable, self._once):
            weakref.finalize(self, session.close)  # a plugin that forgets to close leaves no open socket

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> requests.Response:
        """See `sfactl.api.http.HttpSession.request`."""
        method = method.upper()
        sent = dict(headers or {})
        if idempotency_key is not None:
            sent["Idempotency-Key"] = idempotency_key
        repeatable = method in SAFE_METHODS or idempotency_key is not None
        url = self._url(path)
        what = f"{method} {url.partition('?')[0]}"

        def send() -> requests.Response:
            session = self._repeatable if repeatable else self._once
            return session.request(
                method,
                url,
                params=params,
                json=json,
                data=data,
                headers=sent,
                timeout=self._timeout,
                stream=True,
                allow_redirects=method in SAFE_METHODS,
            )

        response = _whole(
            send, what, attempts=ATTEMPTS if repeatable else 1, within_s=LONGEST_ANSWER * self._timeout[1]
        )
        if (error := _refusal(response, what, repeatable)) is not None:
            raise error
        return response

    def reach(self) -> None:
        """See `sfactl.api.http.HttpSession.reach`."""
        proxy = get_environ_proxies(self._base_url).get(urlsplit(self._base_url).scheme, "")
        parts = urlsplit(proxy or self._base_url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._check_host(urlsplit(self._base_url).hostname or "")
        try:
            with socket.create_connection((host, port), timeout=self._timeout[0]) as plain:
                if parts.scheme == "https":
                    trusted = os.environ.get("REQUESTS_CA_BUNDLE") or DEFAULT_CA_BUNDLE_PATH
                    ssl.create_default_context(cafile=trusted).wrap_socket(plain, server_hostname=host).close()
        except OSError as err:
            why = str(err) if isinstance(err, ssl.SSLError) else err.strerror or str(err)
            raise Transient(f"{host}:{port}: {why}", hint="Check the address and the network.") from err

    def close(self) -> None:
        """Close the connections."""
        self._repeatable.close()
        self._once.close()

    def _url(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            return path
        if not path or path.startswith("?"):
            return self._base_url + path
        return f"{self._base_url.rstrip('/')}/{path.lstrip('/')}"


def _session(adapter: GuardedAdapter, headers: Mapping[str, str] | None) -> requests.Session:
    session = requests.Session()
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.auth = lambda request: request  # or ~/.netrc would replace the plugin's own Authorization
    session.max_redirects = 5
    session.headers["User-Agent"] = "sfactl"
    session.headers.update(headers or {})
    return session


def _whole(send: Callable[[], requests.Response], what: str, *, attempts: int, within_s: float) -> requests.Response:
    """The response with its whole body. A body cut short is asked for again; urllib3 retries everything before it."""
    lost: type[Transient | Ambiguous] = Transient if attempts > 1 else Ambiguous
    for left in reversed(range(attempts)):
        try:
            return _read(send(), what, within_s, lost)
        except requests.exceptions.ChunkedEncodingError as err:
            if left == 0:
                raise lost(f"{what}: the answer was cut short") from err
        except requests.exceptions.ContentDecodingError as err:
            raise ServerFault(f"{what}: the answer says that it is compressed, and cannot be unpacked") from err
        except requests.RequestException as err:
            raise _no_answer(err, what, repeatable=attempts > 1) from err
    raise AssertionError("unreachable")


def _read(
    response: requests.Response, what: str, within_s: float, lost: type[Transient | Ambiguous]
) -> requests.Response:
    """The response with its body read, unless that is too large or does not end: then it is ``lost``."""
    begun, size, parts = time.monotonic(), 0, []
    with response:
        for part in response.iter_content(1 << 16):
            size += len(part)
            if size > LARGEST_ANSWER:
                raise ServerFault(f"{what}: the answer is larger than {LARGEST_ANSWER >> 20} MB", hint=_SMALLER)
            if time.monotonic() - begun > within_s:
                raise lost(f"{what}: the answer did not end within {within_s:,.0f} seconds")
            parts.append(part)
    response._content = b"".join(parts)  # what requests itself does after it has read a body
    return response


def _no_answer(err: requests.RequestException, what: str, *, repeatable: bool) -> SfactlError:
    """What it means that no answer came: nothing was sent, or nobody knows."""
    if isinstance(err, requests.exceptions.TooManyRedirects):
        return ServerFault(f"{what}: redirected more than 5 times")
    if isinstance(err, (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader)):
        return PluginError(f"{what}: not a valid request ({type(err).__name__})")
    if _never_sent(err):
        return Transient(f"{what}: no connection ({_reason(err)})", hint="Check the address and the network.")
    if repeatable:
        return Transient(f"{what}: no answer ({_reason(err)})")
    return Ambiguous(f"{what}: the answer was lost after sending ({_reason(err)})")


def _never_sent(err: requests.RequestException) -> bool:
    if isinstance(err, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    cause = err.args[0] if err.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    if isinstance(err, requests.exceptions.SSLError):
        # A certificate is looked at before anything is sent; any other fault of TLS may come with the answer.
        return isinstance(reason.args[0] if isinstance(reason, Exception) else None, ssl.SSLCertVerificationError)
    return isinstance(reason, (ConnectTimeoutError, NewConnectionError))


def _reason(err: requests.RequestException) -> str:
    # The exception's own text repeats the URL with its query, where a secret may be.
    cause = err.args[0] if err.args else err
    return type(cause.reason if isinstance(cause, MaxRetryError) else cause).__name__


def _reset_in(response: BaseHTTPResponse) -> float | None:
    """Seconds until a limit is reset: the draft's RateLimit-Reset, and what came before it as a wait or as a moment."""
    text = response.headers.get("RateLimit-Reset") or response.headers.get("X-RateLimit-Reset") or ""
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    return float(text) if int(text) < _A_MOMENT else max(0.0, int(text) - time.time())


def _refusal(response: requests.Response, what: str, repeatable: bool) -> SfactlError | None:
    """The error that a status stands for, or None where the caller should read the response."""
    status = response.status_code
    said = f"{what}: the server answered {status}"
    again = PatientRetry(retry_after_max=LONGEST_WAIT_S)
    if status in {401, 403}:
        return AuthError(said, hint="Check the secret that the settings refer to, and its rights.")
    if status == 429:
        return RateLimited(said, after_s=again.wait_s(response.raw))
    if status == 503 and (after_s := again.get_retry_after(response.raw)) is not None:
        return RateLimited(said, after_s=after_s)
    if status in {502, 504} and not repeatable:
        return Ambiguous(said)
    if status in {502, 503, 504}:
        return Transient(said)
    return ServerFault(said) if status >= 500 else None
