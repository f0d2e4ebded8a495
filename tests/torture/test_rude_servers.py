"""Servers of bad manners, and the receipt that each deserves: what may have arrived is never called unsent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sfactl.api.records import Message, Receipt
from sfactl.host import Host
from sfactl.host.model import Origin
from sfactl.testkit import Manner, RudeServer

NOW = datetime(2026, 11, 22, 9)
TIMEOUT_S = 0.3
SECOND = {"sparing": 1, "times": 1}
"""The second of three messages is the one that meets the bad manner."""

HTTP = "HTTP/1.1 {} x\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}\r\n{}"


def said(
    status: int, body: str = "{}", *, kind: str = "application/json", length: int | None = None, **more: str
) -> str:
    """An HTTP answer as it goes over the wire."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
    return HTTP.format(status, kind, len(body) if length is None else length, extra, body)


ALL = "accepted accepted accepted"
SMTP_CASES = [
    pytest.param(Manner(at="connect", text="421 4.3.2 busy"), "retry_after " * 3, "", id="busy from the start"),
    pytest.param(Manner(at="connect", text="554 5.3.2 not for you"), "retry_after " * 3, "", id="unfriendly greeting"),
    pytest.param(Manner(at="connect", text="SSH-2.0-here"), "retry_after " * 3, "", id="another protocol"),
    pytest.param(Manner(at="connect", does="close"), "retry_after " * 3, "", id="hangs up at once"),
    pytest.param(Manner(at="connect", does="stall"), "retry_after " * 3, "", id="never greets"),
    pytest.param(Manner(at="connect", does="close", times=1), "retry_after " * 3, "", id="hangs up once"),
    pytest.param(Manner(at="ehlo", text="what?"), "retry_after " * 3, "", id="garbage for a greeting"),
    pytest.param(Manner(at="mail", does="close", **SECOND), ALL, "123", id="closes an idle connection"),
    pytest.param(
        Manner(at="mail", text="421 4.7.0 enough", **SECOND), "accepted retry_after accepted", "13", id="enough for now"
    ),
    pytest.param(
        Manner(at="mail", text="550 5.7.1 not you", **SECOND), "accepted refused accepted", "13", id="no such sender"
    ),
    pytest.param(
        Manner(at="rcpt", text="550 5.1.1 nobody", **SECOND), "accepted refused accepted", "13", id="no such mailbox"
    ),
    pytest.param(
        Manner(at="rcpt", text="451 4.7.1 later", **SECOND), "accepted retry_after accepted", "13", id="greylisted"
    ),
    pytest.param(
        Manner(at="rcpt", text="452 4.2.2 full", **SECOND), "accepted retry_after accepted", "13", id="mailbox full"
    ),
    pytest.param(
        Manner(at="rcpt", text="perhaps", **SECOND), "accepted retry_after accepted", "13", id="garbage before the text"
    ),
    pytest.param(
        Manner(at="rcpt", does="stall", **SECOND),
        "accepted retry_after|accepted accepted",
        "13|123",
        id="silent before the text",
    ),
    pytest.param(
        Manner(at="rcpt", text="550 5.1.1 nobody", every=2), "refused accepted refused", "2", id="bounces half"
    ),
    pytest.param(
        Manner(at="data", text="554 5.7.1 no", **SECOND), "accepted refused accepted", "13", id="no text wanted"
    ),
    pytest.param(Manner(at="data", does="close", **SECOND), ALL, "123", id="closes before the text"),
    pytest.param(
        Manner(at="body", **SECOND),
        "accepted unknown|retry_after|accepted accepted",
        "13|123",
        id="closes within the text",
    ),
    pytest.param(
        Manner(at="end", text="554 5.7.1 spam", **SECOND), "accepted refused accepted", "13", id="refuses the text"
    ),
    pytest.param(
        Manner(at="end", text="451 4.3.0 later", **SECOND),
        "accepted retry_after accepted",
        "13",
        id="puts off the text",
    ),
    pytest.param(
        Manner(at="end", text="421 4.3.2 closing", **SECOND),
        "accepted retry_after accepted",
        "13",
        id="closes with a word",
    ),
    pytest.param(
        Manner(at="end", does="close", takes=True, **SECOND), "accepted unknown accepted", "123", id="takes and closes"
    ),
    pytest.param(Manner(at="end", does="close", **SECOND), "accepted unknown accepted", "13", id="loses and closes"),
    pytest.param(
        Manner(at="end", does="stall", takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and is silent",
    ),
    pytest.param(
        Manner(at="end", does="late", wait_s=20 * TIMEOUT_S, takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and answers late",
    ),
    pytest.param(
        Manner(at="end", text="thank you", takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and says garbage",
    ),
    pytest.param(
        Manner(at="end", text="x" * 9000, takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and rambles",
    ),
    pytest.param(
        Manner(at="end", does="flood", text="250-more", takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and never stops",
    ),
    pytest.param(Manner(at="end", does="drip", takes=True, **SECOND), ALL, "123", id="answers byte by byte"),
    pytest.param(Manner(at="end", text="250 \udcff\udcfe", takes=True, **SECOND), ALL, "123", id="answers no text"),
]
HTTP_CASES = [
    pytest.param(Manner(at="connect", **SECOND), "accepted unknown|accepted accepted", "13|123", id="hangs up"),
    pytest.param(
        Manner(at="body", **SECOND), "accepted unknown|retry_after accepted", "13", id="closes within the message"
    ),
    pytest.param(
        Manner(at="end", does="close", takes=True, **SECOND), "accepted unknown accepted", "123", id="takes and closes"
    ),
    pytest.param(Manner(at="end", does="close", **SECOND), "accepted unknown accepted", "13", id="loses and closes"),
    pytest.param(
        Manner(at="end", does="stall", takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and is silent",
    ),
    pytest.param(
        Manner(at="end", does="late", wait_s=20 * TIMEOUT_S, takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and answers late",
    ),
    pytest.param(
        Manner(at="end", text="thank you\r\n", takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and says garbage",
    ),
    pytest.param(
        Manner(at="end", text=said(200, '{"id', length=999), takes=True, **SECOND),
        "accepted accepted|unknown accepted",
        "123",
        id="half an answer",
    ),
    pytest.param(
        Manner(at="end", text=said(200, "<html>", kind="text/html"), **SECOND),
        "accepted unknown accepted",
        "13",
        id="a page to log in",
    ),
    pytest.param(
        Manner(at="end", text=said(200, "[" * 5000), takes=True, **SECOND),
        "accepted accepted|unknown accepted",
        "123",
        id="broken JSON",
    ),
    pytest.param(Manner(at="end", does="drip", takes=True, **SECOND), ALL, "123", id="answers byte by byte"),
    pytest.param(Manner(at="end", text=said(400), **SECOND), "accepted refused accepted", "13", id="bad request"),
    pytest.param(
        Manner(at="end", text=said(422, '{"error": "no such number"}'), **SECOND),
        "accepted refused accepted",
        "13",
        id="no such number",
    ),
    pytest.param(Manner(at="end", text=said(401), **SECOND), "accepted retry_after accepted", "13", id="who are you"),
    pytest.param(
        Manner(at="end", text=said(302, Location="http://127.0.0.1:9/"), **SECOND),
        "accepted refused|retry_after|unknown accepted",
        "13",
        id="elsewhere",
    ),
    pytest.param(
        Manner(at="end", text=said(429, Retry_After="7"), **SECOND),
        "accepted retry_after accepted",
        "13",
        id="too many",
    ),
    pytest.param(
        Manner(at="end", text=said(429, Retry_After="soon"), **SECOND),
        "accepted retry_after accepted",
        "13",
        id="too many, and garbage",
    ),
    pytest.param(
        Manner(at="end", text=said(429, Retry_After="-5"), **SECOND),
        "accepted retry_after accepted",
        "13",
        id="too many, in the past",
    ),
    pytest.param(
        Manner(at="end", text=said(503, Retry_After="Sun, 22 Nov 2026 09:00:30 GMT"), **SECOND),
        "accepted retry_after accepted",
        "13",
        id="closed until a date",
    ),
    pytest.param(
        Manner(at="end", text=said(500), takes=True, **SECOND),
        "accepted unknown accepted",
        "123",
        id="takes and breaks",
    ),
    pytest.param(Manner(at="end", text=said(422), every=2), "refused accepted refused", "2", id="refuses half"),
]


@pytest.fixture
def send(tmp_path: Path) -> Iterator[Callable[..., list[Receipt]]]:
    """Sends three messages through a sender as a run does."""
    folder = tmp_path / "acme"
    folder.mkdir()
    origins = [
        Origin(name=name, value=f"sfactl_sender_{name}", dist=f"sfactl-sender-{name}", version="0")
        for name in ("smtp", "http")
    ]
    host = Host(folder=folder, tenant="acme", now=lambda: NOW, origins=tuple(origins))

    def messages(use: str, settings: Mapping[str, Any]) -> list[Receipt]:
        sender = host.make("touchpoint_sender", use, {**settings, "timeout_s": TIMEOUT_S}, where="post.toml")
        sent = [_message(n) for n in (1, 2, 3)]
        try:
            by_key = {receipt.key: receipt for receipt in sender.send(sent)}
        finally:
            sender.close()
        return [by_key[m.key] for m in sent]

    yield messages
    host.close()


@contextmanager
def rude(protocol: Any, manner: Manner, folder: Path) -> Iterator[tuple[RudeServer, Mapping[str, Any]]]:
    """The server, and how it is reached."""
    with RudeServer(protocol, manner, folder / "journal") as server:
        if protocol == "smtp":
            yield (
                server,
                {
                    "host": "127.0.0.1",
                    "port": server.port,
                    "tls": "none",
                    "retry_after_s": 1,
                    "answer_timeout_s": TIMEOUT_S,
                },
            )
        else:
            yield server, {"url": f"http://127.0.0.1:{server.port}/"}


def _message(n: int) -> Message:
    return Message(
        key=f"key-{n}", channel="email", recipient=f"u{n}@example.com", sender="a@acme.example", subject="Hi", text="Hi"
    )


@pytest.mark.parametrize(
    ("protocol", "manner", "outcomes", "taken"),
    [pytest.param("smtp", *case.values, id=f"smtp {case.id}") for case in SMTP_CASES]
    + [pytest.param("http", *case.values, id=f"http {case.id}") for case in HTTP_CASES],
)
def test_each_bad_manner_has_its_receipt(
    protocol: str, manner: Manner, outcomes: str, taken: str, tmp_path: Path, send: Callable[..., list[Receipt]]
) -> None:
    with rude(protocol, manner, tmp_path) as (server, settings):
        receipts = send(protocol, settings)
        there = "".join(address[1] for address in server.taken)
    for receipt, expected in zip(receipts, outcomes.split(), strict=True):
        assert receipt.outcome in expected.split("|"), receipt
        number = receipt.key[-1]
        assert there.count(number) <= 1
        # The two promises: accepted is there, and what may go again is not.
        assert receipt.outcome != "accepted" or number in there, receipt
        assert receipt.outcome not in ("retry_after", "refused") or number not in there, receipt
        assert receipt.retry_after_s is None or 0 <= receipt.retry_after_s <= 3600, receipt
    assert there in taken.split("|")


@pytest.mark.parametrize("protocol", ["smtp", "http"])
def test_where_nobody_listens_everybody_stays_planned(protocol: str, send: Callable[..., list[Receipt]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    there = (
        {"host": "127.0.0.1", "port": port, "tls": "none"}
        if protocol == "smtp"
        else {"url": f"http://127.0.0.1:{port}/"}
    )
    assert [receipt.outcome for receipt in send(protocol, there)] == ["retry_after"] * 3
