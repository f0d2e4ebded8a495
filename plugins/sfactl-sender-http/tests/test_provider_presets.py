"""Each preset against its service as a process of its own, which checks what the real one checks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sfactl.testkit import SenderSuite, ServiceProcess

SERVICE = Path(__file__).with_name("provider_lookalike.py")
SECRETS = {
    "SENDGRID_KEY": "SG.secret",
    "POSTMARK_TOKEN": "pm-secret",
    "MAILGUN_KEY": "mg-secret",
    "RESEND_KEY": "re_secret",
    "TWILIO_TOKEN": "tw-secret",
    "GATEWAY_KEY": "gw-secret",
    "OWN_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


@pytest.fixture(scope="module")
def running() -> Iterator[ServiceProcess]:
    with ServiceProcess(SERVICE) as service:
        yield service


class PresetSuite(SenderSuite):
    """The suite of every sender, and what each preset must make of its service's answers."""

    plugin = "sfactl_sender_http"
    path: ClassVar[str] = ""
    keys: ClassVar[Mapping[str, Any]] = {}

    # What is said of the module is the same for every offer, and is asked once.
    test_offering_costs_nothing = None
    test_only_the_public_api_is_imported = None

    @pytest.fixture(autouse=True)
    def service(self, running: ServiceProcess, monkeypatch: pytest.MonkeyPatch) -> ServiceProcess:
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, value)
        running.reset()
        self.running = running
        return running

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        return {"url": f"{self.running.url}{self.path}", "timeout_s": 5.0, **self.keys}

    def delivered(self) -> Sequence[str]:
        return [json.dumps(one, ensure_ascii=False) for one in self.running.state()["taken"]]

    def receipt(self, make: Any, **more: Any) -> Any:
        sender = make()
        (receipt,) = sender.send([self.message(1, **more)])
        sender.close()
        return receipt

    def body(self) -> Any:
        (one,) = self.running.state()["taken"]
        return one["body"]

    def test_a_lost_answer_is_never_called_unsent(self, make: Any) -> None:
        self.running.next({"lost": True}, {"lost": True}, {"lost": True})
        assert self.receipt(make).outcome == "unknown"
        assert self._arrived([self.message(1)]) == [1]

    def test_the_service_says_when_to_come_back(self, make: Any) -> None:
        self.running.next({"status": 429, "headers": {"Retry-After": "9"}})
        receipt = self.receipt(make)
        assert (receipt.outcome, receipt.retry_after_s) == ("retry_after", 9)
        assert len(self.running.state()["requests"]) == 1

    def test_a_secret_that_is_wrong_refuses_nobody(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in SECRETS:
            monkeypatch.setenv(name, "mistaken")
        receipt = self.receipt(make)
        assert receipt.outcome == "retry_after"
        assert "mistaken" not in receipt.detail


class TestSendGrid(PresetSuite):
    offer = "sendgrid"
    path = "/v3/mail/send"
    test_offering_costs_nothing = SenderSuite.test_offering_costs_nothing
    test_only_the_public_api_is_imported = SenderSuite.test_only_the_public_api_is_imported
    keys: ClassVar = {"api_key": "env:SENDGRID_KEY"}

    def test_headers_arrive_and_reply_to_has_its_own_field(self, make: Any) -> None:
        headers = {"List-Unsubscribe": "<https://u.example/1>", "Reply-To": "Ann <ann@example.com>"}
        receipt = self.receipt(
            make, headers=headers, sender="陳 <sales@example.com>", html="<p>x</p>", campaign="spring"
        )
        assert (receipt.outcome, receipt.provider_id) == ("accepted", "sg0")
        body = self.body()
        assert body["headers"] == {"List-Unsubscribe": "<https://u.example/1>"}
        assert body["reply_to"] == {"email": "ann@example.com"}
        assert body["from"] == {"email": "sales@example.com", "name": "陳"}
        assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
        assert body["categories"] == ["spring"]

    def test_what_a_message_has_not_is_left_out(self, make: Any) -> None:
        self.receipt(make)
        assert {"headers", "reply_to", "categories"}.isdisjoint(self.body())
        assert [part["type"] for part in self.body()["content"]] == ["text/plain"]

    def test_one_that_is_refused_says_why(self, make: Any) -> None:
        receipt = self.receipt(make, recipient="nobody")
        assert (receipt.outcome, receipt.detail) == ("refused", "400 Does not contain a valid address.")

    def test_the_limit_resets_at_a_moment(self, make: Any) -> None:
        self.running.next({"status": 429, "headers": {"X-RateLimit-Reset": "1"}})
        assert self.receipt(make).retry_after_s == 1


class TestPostmark(PresetSuite):
    offer = "postmark"
    path = "/email/batch"
    keys: ClassVar = {"server_token": "env:POSTMARK_TOKEN", "stream": "broadcast"}

    def test_one_request_holds_the_whole_batch(self, make: Any) -> None:
        sender = make()
        messages = [self.message(1), self.message(2, recipient="inactive@example.com"), self.message(3)]
        receipts = list(sender.send(messages))
        sender.close()
        assert [(r.key, r.outcome) for r in receipts] == [
            (m.key, o) for m, o in zip(messages, ("accepted", "refused", "accepted"), strict=True)
        ]
        assert "code 406" in receipts[1].detail
        assert len(self.running.state()["requests"]) == 1

    def test_headers_are_a_list(self, make: Any) -> None:
        self.receipt(make, headers={"List-Unsubscribe": "<https://u.example/1>"})
        assert self.body()["Headers"] == [{"Name": "List-Unsubscribe", "Value": "<https://u.example/1>"}]
        assert self.body()["MessageStream"] == "broadcast"

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            ({"status": 422, "body": {"ErrorCode": 405, "Message": "Not allowed to send"}}, "retry_after"),
            ({"status": 422, "body": {"ErrorCode": 402, "Message": "Invalid JSON"}}, "refused"),
            ({"status": 200, "body": [{"ErrorCode": 0}]}, "unknown"),
            ({"status": 200, "body": "<html>"}, "unknown"),
            ({"status": 200, "body": [{}, {}]}, "unknown"),
        ],
        ids=["account", "posting", "too-few", "garbage", "without-code"],
    )
    def test_answers_to_the_whole_batch(self, make: Any, answer: Any, outcome: str) -> None:
        self.running.next(answer)
        sender = make()
        receipts = list(sender.send([self.message(1), self.message(2)]))
        sender.close()
        assert [r.outcome for r in receipts] == [outcome, outcome]


class TestMailgun(PresetSuite):
    offer = "mailgun"
    keys: ClassVar = {"api_key": "env:MAILGUN_KEY", "domain": "mg.example.com"}

    def test_headers_are_fields_of_the_form(self, make: Any) -> None:
        receipt = self.receipt(
            make, headers={"List-Unsubscribe": "<https://u.example/1>", "Reply-To": "ann@example.com"}
        )
        assert receipt.provider_id == "<0@mg.example.com>"
        assert self.body()["h:List-Unsubscribe"] == "<https://u.example/1>"
        assert self.body()["h:Reply-To"] == "ann@example.com"


class TestResend(PresetSuite):
    offer = "resend"
    path = "/emails"
    keys: ClassVar = {"api_key": "env:RESEND_KEY"}

    def test_a_lost_answer_is_asked_for_again(self, make: Any) -> None:
        self.running.next({"lost": True})
        assert self.receipt(make).outcome == "accepted"
        assert self._arrived([self.message(1)]) == [1]
        assert make().remembers_s == 86_400

    def test_a_key_with_another_text_is_for_a_person(self, make: Any) -> None:
        self.receipt(make)
        assert self.receipt(make, text="another").outcome == "unknown"
        assert len(self.running.state()["taken"]) == 1


class TestTwilio(PresetSuite):
    offer = "twilio"
    keys: ClassVar = {"account_sid": "AC123", "auth_token": "env:TWILIO_TOKEN", "from_number": "+15005550006"}

    @pytest.mark.parametrize(
        ("recipient", "outcome"),
        [("+886912345678", "accepted"), ("+15005550009", "refused"), ("+15005550007", "retry_after")],
        ids=["taken", "opted-out", "our-number"],
    )
    def test_codes_tell_the_recipient_from_us(self, make: Any, recipient: str, outcome: str) -> None:
        assert self.receipt(make, recipient=recipient, channel="sms").outcome == outcome


class TestOwnService(PresetSuite):
    """``use = "webhook"`` to a receiver that checks the signature and takes each id once."""

    offer = "webhook"
    path = "/own"
    keys: ClassVar = {"sign_secret": "env:OWN_SECRET", "receiver_is_idempotent": True}

    @pytest.fixture(autouse=True)
    def clock(self) -> None:
        """The service keeps no time; the age of a signature is tested with its verification."""

    def test_a_lost_answer_is_never_called_unsent(self, make: Any) -> None:
        self.running.next({"lost": True}, {"drop": True}, {"drop": True})
        assert self.receipt(make).outcome == "retry_after"
        assert self.receipt(make).outcome == "accepted"
        assert self._arrived([self.message(1)]) == [1]

    def test_a_secret_that_is_wrong_refuses_nobody(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OWN_SECRET", "whsec_AAAA")
        assert self.receipt(make).outcome == "refused"
        assert self.delivered() == []


class TestGateway(PresetSuite):
    """``use = "http"`` for a service that nobody has heard of, described in a file."""

    offer = "http"
    path = "/gateway?user={secrets.gateway}"
    keys: ClassVar = {
        "encoding": "form",
        "secrets": {"gateway": "env:GATEWAY_KEY"},
        "body": {"apikey": "{secrets.gateway}", "dst": "{recipient_digits}", "msg": "{text}"},
        "answer": {
            "id": "result.id",
            "error": "result.text",
            "code": "result.status",
            "codes": {"accepted": [0], "retry": [-1]},
        },
    }

    def test_codes_of_an_answer_that_is_always_200(self, make: Any) -> None:
        receipt = self.receipt(make, recipient="+886 912-345-678", channel="sms")
        assert (receipt.outcome, receipt.provider_id) == ("accepted", "gw0")
        assert self.body()["dst"] == "886912345678"
        refused = self.receipt(make, recipient="nobody")
        assert (refused.outcome, refused.detail) == ("refused", "200 code 7: number not valid")

    def test_a_page_in_its_place_tells_nothing(self, make: Any) -> None:
        self.running.next({"status": 200, "body": "<html>Welcome to the wireless network</html>"})
        assert self.receipt(make).outcome == "unknown"


del PresetSuite
