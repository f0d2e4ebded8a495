"""The preset ``webhook`` against a real receiver on loopback, and against one that fails at every point."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from sfactl.testkit import JsonServer, SenderSuite, ServerFault
from sfactl.testkit.offer_suite import NOW


class WebhookSuite(SenderSuite):
    """The suite with a receiver for it."""

    plugin = "sfactl_sender_http"
    offer = "webhook"
    more: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture(autouse=True)
    def receiver(self) -> Iterator[JsonServer]:
        with JsonServer(honours_keys=True) as self.server:
            yield self.server

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        return {"url": f"{self.server.url}/hook", "timeout_s": 0.5, **self.more}

    def delivered(self) -> Sequence[str]:
        return [json.dumps(body) for body in self.server.taken]

    def outcome(self, make: Any, **more: Any) -> Any:
        sender = make(**more)
        (receipt,) = sender.send([self.message(1)])
        sender.close()
        return receipt


class TestPlain(WebhookSuite):
    """A receiver that promises nothing."""

    @pytest.mark.parametrize(
        ("fault", "outcome", "requests"),
        [
            (ServerFault(status=400), "refused", 1),
            (ServerFault(status=401), "retry_after", 1),
            (ServerFault(status=404), "retry_after", 1),
            (ServerFault(status=302), "retry_after", 1),
            (ServerFault(status=429, retry_after="7"), "retry_after", 1),
            (ServerFault(status=503, retry_after="7"), "retry_after", 1),
            (ServerFault(status=503), "retry_after", 1),
            (ServerFault(status=500), "unknown", 1),
            (ServerFault(status=504), "unknown", 1),
            (ServerFault(kind="drop"), "unknown", 1),
            (ServerFault(kind="hang"), "unknown", 1),
            (ServerFault(kind="half"), "unknown", 1),
        ],
        ids=lambda value: f"{value.kind}-{value.status}" if isinstance(value, ServerFault) else None,
    )
    def test_each_answer_has_its_receipt(self, make: Any, fault: ServerFault, outcome: str, requests: int) -> None:
        self.server.fail(fault)
        receipt = self.outcome(make)
        assert receipt.outcome == outcome
        assert len(self.server.requests) == requests, "a message must not be sent twice"

    def test_the_wait_is_the_servers(self, make: Any) -> None:
        self.server.fail(ServerFault(status=429, retry_after="7"))
        assert self.outcome(make).retry_after_s == 7

    def test_nobody_listening_means_nothing_was_sent(self, make: Any) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        sender = make(url=f"http://127.0.0.1:{port}/hook")
        assert sender.check().problems != ()
        assert self.outcome(make, url=f"http://127.0.0.1:{port}/hook").outcome == "retry_after"

    def test_the_body_holds_the_message(self, make: Any) -> None:
        receipt = self.outcome(make)
        assert receipt.provider_id == "r1"
        (body,) = self.server.taken
        assert body["key"] == self.message(1).key
        assert body["text"].endswith("謝謝")
        assert self.server.requests[-1].headers["idempotency-key"] == self.message(1).key


class TestIdempotent(WebhookSuite):
    """A receiver that takes each key once."""

    more: ClassVar = {"receiver_is_idempotent": True}

    @pytest.mark.parametrize("kind", ["drop", "half"])
    def test_a_lost_answer_is_asked_for_again_and_taken_once(self, make: Any, kind: Any) -> None:
        self.server.fail(ServerFault(kind=kind))
        assert self.outcome(make).outcome == "accepted"
        assert len(self.server.taken) == 1
        assert len(self.server.requests) == 2

    def test_a_receiver_that_stays_down_may_be_tried_later(self, make: Any) -> None:
        self.server.fail_always(ServerFault(status=500))
        assert self.outcome(make).outcome == "retry_after"


class TestSigned(WebhookSuite):
    """Bodies that carry a signature and a token."""

    more: ClassVar = {"sign_secret": "env:HOOK_SECRET", "auth_secret": "env:HOOK_TOKEN"}

    @pytest.fixture(autouse=True)
    def secrets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOOK_SECRET", "opensesame")
        monkeypatch.setenv("HOOK_TOKEN", "letmein")

    def test_the_signature_covers_time_and_body(self, make: Any) -> None:
        self.outcome(make)
        seen = self.server.requests[-1]
        seconds = int((NOW - NOW.__class__(1970, 1, 1)).total_seconds())
        assert seen.headers["webhook-timestamp"] == str(seconds)
        told = f"{self.message(1).key}.{seconds}.".encode() + seen.body
        expected = base64.b64encode(hmac.new(b"opensesame", told, hashlib.sha256).digest()).decode()
        assert seen.headers["webhook-signature"] == f"v1,{expected}"
        assert seen.headers["authorization"] == "Bearer letmein"

    def test_a_wrong_token_is_told_without_showing_it(self, make: Any) -> None:
        self.server.token = "another"
        receipt = self.outcome(make)
        assert receipt.outcome == "retry_after"
        assert "letmein" not in receipt.detail


del WebhookSuite
