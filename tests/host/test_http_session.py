"""The one HTTP session: where it may go, what it repeats, and what each answer means."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
import requests
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as Urllib3SSLError

from sfactl.api.errors import Ambiguous, AuthError, PluginError, RateLimited, ServerFault, Transient
from sfactl.host import http
from sfactl.host.http import GuardedSession
from sfactl.testkit import JsonServer
from sfactl.testkit import ServerFault as Fault


@pytest.fixture
def server() -> Iterator[JsonServer]:
    with JsonServer(records=[{"id": 1}]) as running:
        yield running


def only_loopback(host: str) -> None:
    if host != "127.0.0.1":
        raise PluginError(f"{host} is not declared")


def session(url: str, **more: Any) -> GuardedSession:
    return GuardedSession(base_url=url, check_host=only_loopback, backoff_s=0.0, **{"timeout_s": 5.0, **more})


GET, POST, KEYED = ("GET", {}), ("POST", {}), ("POST", {"idempotency_key": "k"})


@pytest.mark.parametrize(
    ("method", "fault", "error", "requests"),
    [
        (GET, Fault(status=401), AuthError, 1),
        (GET, Fault(status=403), AuthError, 1),
        (GET, Fault(status=429), RateLimited, 4),
        (GET, Fault(status=429, retry_after="3600"), RateLimited, 1),
        (GET, Fault(status=500), ServerFault, 1),
        (GET, Fault(status=502), Transient, 4),
        (GET, Fault(status=503, retry_after="0"), RateLimited, 4),
        (GET, Fault(kind="drop"), Transient, 4),
        (GET, Fault(kind="half"), Transient, 4),
        (POST, Fault(status=429), RateLimited, 1),
        (POST, Fault(status=503), Transient, 1),
        (POST, Fault(status=504), Ambiguous, 1),
        (POST, Fault(status=500), ServerFault, 1),
        (POST, Fault(kind="drop"), Ambiguous, 1),
        (POST, Fault(kind="half"), Ambiguous, 1),
        (KEYED, Fault(status=503), Transient, 4),
        (KEYED, Fault(kind="drop"), Transient, 4),
    ],
    ids=str,
)
def test_each_failure_has_its_meaning(
    server: JsonServer, method: tuple[str, dict[str, Any]], fault: Fault, error: type[Exception], requests: int
) -> None:
    server.fail_always(fault)
    verb, more = method
    with pytest.raises(error):
        session(server.url).request(verb, "/records", json={} if verb == "POST" else None, **more)
    assert len(server.requests) == requests


@pytest.mark.parametrize("fault", [Fault(status=503, retry_after="0"), Fault(kind="half"), Fault(kind="drop")], ids=str)
def test_what_may_be_repeated_is(server: JsonServer, fault: Fault) -> None:
    server.fail(fault, fault)
    assert session(server.url).request("GET", "/records").json()["total"] == 1


def test_a_silent_server_is_given_up(server: JsonServer) -> None:
    server.fail(Fault(kind="hang"))
    with pytest.raises(Ambiguous):
        session(server.url, timeout_s=0.2).request("POST", "/", json={})


def test_nobody_listening_means_nothing_was_sent() -> None:
    with JsonServer() as server:
        url = server.url
    with pytest.raises(Transient, match="no connection"):
        session(url).request("POST", "/", json={})


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 422])
def test_the_caller_reads_every_other_answer(server: JsonServer, status: int) -> None:
    server.fail(Fault(status=status))
    assert session(server.url).request("POST", "/", json={}).status_code == status


@pytest.mark.parametrize(
    ("header", "after_s"),
    [("90", 90.0), ("1000000", 1_000_000.0), ("soon", None)],
    ids=["seconds", "days", "nonsense"],
)
def test_a_wait_is_passed_on(server: JsonServer, header: str, after_s: float | None) -> None:
    server.fail_always(Fault(status=429, retry_after=header))
    with pytest.raises(RateLimited) as caught:
        session(server.url).request("POST", "/", json={})
    assert caught.value.after_s == after_s


def test_a_wait_may_be_a_date(server: JsonServer) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    server.fail(Fault(status=429, retry_after=format_datetime(at, usegmt=True)))
    with pytest.raises(RateLimited) as caught:
        session(server.url).request("GET", "/")
    assert caught.value.after_s is not None
    assert 3000 < caught.value.after_s <= 3600


def test_the_host_is_checked_for_full_addresses_too(server: JsonServer) -> None:
    with pytest.raises(PluginError, match=r"evil\.example"):
        session(server.url).request("GET", "http://evil.example/records")


def test_a_redirect_to_another_host_is_not_followed(server: JsonServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "requests.Session.get_redirect_target",
        lambda _self, response: "http://evil.example/" if "127.0.0.1" in response.url else None,
    )
    with pytest.raises(PluginError, match=r"evil\.example"):
        session(server.url).request("GET", "/records")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1", "https://", "file:///etc/passwd"])
def test_only_http_addresses(url: str) -> None:
    with pytest.raises(PluginError):
        session(url)


def test_errors_never_show_the_query(server: JsonServer) -> None:
    server.fail_always(Fault(status=500))
    with pytest.raises(ServerFault) as caught:
        session(server.url).request("GET", "/records", params={"key": "opensesame"})
    assert "opensesame" not in str(caught.value)


def test_netrc_does_not_replace_the_plugins_token(
    server: JsonServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session(server.url, headers={"Authorization": "Bearer mine"}).request("GET", "/records")
    assert server.requests[-1].headers["authorization"] == "Bearer mine"


@pytest.mark.parametrize(
    ("base", "path", "seen"),
    [
        ("", "/a", "/a"),
        ("/api/", "a", "/api/a"),
        ("/api", "/a", "/api/a"),
        ("/api", "", "/api"),
        ("/api", "?x=1", "/api"),
    ],
)
def test_paths_are_below_the_base(server: JsonServer, base: str, path: str, seen: str) -> None:
    session(server.url + base).request("GET", path)
    assert server.requests[-1].path == seen


@pytest.mark.parametrize(
    ("name", "value", "least", "most"),
    [
        ("RateLimit-Reset", "7", 7, 7),
        ("X-RateLimit-Reset", "7", 7, 7),
        ("X-RateLimit-Reset", "1000000001", 0, 0),
        ("X-RateLimit-Reset", str(int(datetime.now(UTC).timestamp()) + 3600), 1, 3600),
    ],
    ids=["draft", "wait", "past", "moment"],
)
def test_the_end_of_a_limit_is_a_wait_too(
    server: JsonServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str, least: float, most: float
) -> None:
    server.fail_always(Fault(kind="status", status=429, retry_after=None))
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.end_headers", _with_header(name, value))
    with pytest.raises(RateLimited) as caught:
        session(server.url).request("POST", "/", json={})
    assert caught.value.after_s is not None
    assert least <= caught.value.after_s <= most


def _with_header(name: str, value: str) -> Any:
    real = BaseHTTPRequestHandler.end_headers

    def end_headers(handler: BaseHTTPRequestHandler) -> None:
        handler.send_header(name, value)
        real(handler)

    return end_headers


def test_an_answer_that_does_not_end_leaves_a_posting_open(server: JsonServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, but the last one never does: what was posted may have been taken."""
    monkeypatch.setattr(http, "LONGEST_ANSWER", 0)
    with pytest.raises(Ambiguous, match="did not end"):
        session(server.url).request("POST", "/", json={})
    with pytest.raises(Transient, match="did not end"):
        session(server.url).request("GET", "/")


@pytest.mark.parametrize(
    ("cause", "sent"),
    [(ssl.SSLCertVerificationError("self-signed"), False), (ssl.SSLEOFError("EOF in violation of protocol"), True)],
    ids=["certificate", "broken-off"],
)
def test_only_a_certificate_says_that_nothing_was_sent(cause: Exception, sent: bool) -> None:
    reason = MaxRetryError(ConnectionPool("example.com"), "/", Urllib3SSLError(cause))
    assert http._never_sent(requests.exceptions.SSLError(reason)) is not sent


def test_reach_asks_nothing(server: JsonServer) -> None:
    session(server.url).reach()
    assert server.requests == []
    with pytest.raises(PluginError, match="not declared"):
        session("http://localhost:1").reach()
    with pytest.raises(Transient, match=r"127\.0\.0\.1:1: "):
        session("http://127.0.0.1:1").reach()
