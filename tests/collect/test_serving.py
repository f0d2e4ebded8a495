"""The collector as a real server: sizes, slow clients, garbage, and kill -9 in the middle of it all."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sfactl.cli.main import main
from sfactl.collect.server import BODY_BYTES, HEADER_BYTES, Server, server_of
from tests.collect.conftest import Desk, records
from tests.load.collector import Load, start, stop, strain

ONE_CLICK = b"List-Unsubscribe=One-Click"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """All tests ask the same collector."""
    return Desk(tmp_path_factory.mktemp("served") / "collect")


@pytest.fixture(scope="module")
def server(desk: Desk) -> Iterator[Server]:
    """A server in a thread, which drops a request that is not whole after a second."""
    made = server_of(desk.collector, host="127.0.0.1", port=0, threads=4, every=lambda: None, request_s=1)
    thread = Thread(target=made.run)
    thread.start()
    yield made
    made.stop()
    thread.join()
    made.end()


def said(server: Server, asked: bytes) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=20) as client:
        client.sendall(asked)
        found = b""
        while more := client.recv(65536):
            found += more
    return found


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", b"200", id="well"),
        pytest.param(b"GET /%00%ff HTTP/1.0\r\n\r\n", b"404", id="bytes"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\r\n\r\n", b"400", id="TLS by mistake"),
        pytest.param(b"GET / HTTP/1.0\r\nX: ".ljust(HEADER_BYTES, b"x"), b"431", id="too many headers"),
        pytest.param(
            b"POST /f/contact HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % (BODY_BYTES + 1), b"413", id="too long a body"
        ),
        pytest.param(b"POST /f/contact HTTP/1.0\r\nContent-Length: -1\r\n\r\n", b"400", id="a length below nothing"),
        pytest.param(
            b"POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: gzip\r\n\r\n", b"501", id="an unknown coding"
        ),
        pytest.param(b"GET / HTTP/1.0\r\nA: b\nX-Y : z\r\n\r\n", b"400", id="smuggled headers"),
        pytest.param(b"DELETE /healthz HTTP/1.0\r\n\r\n", b"405", id="another method"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(server: Server, asked: bytes, status: bytes) -> None:
    """And the server goes on."""
    assert said(server, asked).split(b" ", 2)[1] == status
    assert said(server, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"", id="silence"),
        pytest.param(b"GET /u/x HTTP/1.1\r\nHost: x\r\n", id="half a head"),
        pytest.param(b"POST /f/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nemail", id="half a body"),
    ],
)
def test_who_never_ends_is_dropped(server: Server, desk: Desk, begun: bytes) -> None:
    """Also who sends a byte now and then; others are served meanwhile, and nothing of it is kept."""
    before = desk.kept()
    with socket.create_connection(("127.0.0.1", int(server.effective_port)), timeout=20) as slow:
        slow.sendall(begun)
        assert said(server, b"GET /healthz HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")
        slow.settimeout(0.05)
        while True:
            try:
                if begun:
                    slow.sendall(b"x")
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except OSError:  # reset, because it went on sending
                break
    assert desk.kept() == before


def test_requests_one_after_the_other(server: Server, desk: Desk) -> None:
    """Over one connection, with and without a body, in pieces, and the head of a page has none."""
    unsubscribe, click = desk.path("unsubscribe").encode(), desk.path("click", "https://a.example/").encode()
    head = b" HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    chunks = b"1a\r\n" + ONE_CLICK + b"\r\n0\r\n\r\n"
    found = said(
        server,
        b"HEAD " + unsubscribe + head + b"\r\n"
        b"POST " + unsubscribe + head + kind + b"Transfer-Encoding: chunked\r\n\r\n" + chunks +
        b"GET " + click + head + b"Connection: close\r\n\r\n",
    )  # fmt: skip
    assert re.findall(rb"HTTP/1.1 (\d+)", found) == [b"200", b"200", b"302"]
    assert found.count(b"<html") == 1
    assert [r.deed for r in desk.kept()][-3:] == ["look", "unsubscribe", "click"]  # type: ignore[union-attr]


def test_an_address_that_is_taken_is_told(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do."""
    assert main(["init", str(tmp_path / "w")]) == 0
    capsys.readouterr()
    assert main(["-w", str(tmp_path / "w"), "collect", "serve", "--port", str(server.effective_port)]) == 2
    assert "Choose another with --host and --port" in capsys.readouterr().err


@pytest.mark.crash
def test_nothing_that_was_answered_for_is_lost(tmp_path: Path) -> None:
    """Clients ask, the server is killed -9 in the middle and started again: each answered request came in once."""
    outcome = strain(tmp_path, Load(requests=400, connections=8, kills=1))
    assert (outcome.kills, outcome.lost, outcome.doubled) == (1, 0, 0)
    assert outcome.brought_in >= outcome.answered >= 400


def test_it_ends_when_it_is_told(tmp_path: Path) -> None:
    """SIGTERM: what was kept is complete, the counts are written, and the exit code is 0."""
    assert main(["init", str(tmp_path / "w")]) == 0
    server = start(tmp_path / "w")
    assert stop(server) == 0
    assert records(tmp_path / "w/.sfactl/collect/links") == []
