"""Each chat sender against its service as a process of its own, which checks signatures, tokens and limits itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sfactl_sender_chat.dingtalk import sign
from sfactl_sender_chat.slack import escaped

from sfactl.testkit import SenderSuite, ServiceProcess

SERVICE = Path(__file__).with_name("chat_lookalike.py")
SECRETS = {
    "WECOM_KEY": "wk-secret",
    "WECOM_SECRET": "wc-secret",
    "DING_TOKEN": "dt-token",
    "DING_SEC": "SECdt",
    "DING_SECRET": "ds-secret",
    "LINE_TOKEN": "ln-token",
    "SLACK_TOKEN": "xoxb-secret",
    "SLACK_HOOK": "https://hooks.slack.com/services/T00/B00/hk-secret",
}
FRIEND = "U" + "0" * 32


@pytest.fixture(scope="module")
def running() -> Iterator[ServiceProcess]:
    with ServiceProcess(SERVICE) as service:
        yield service


class ChatSuite(SenderSuite):
    """The suite of every sender, and what all chat services have in common."""

    plugin = "sfactl_sender_chat"
    keys: ClassVar[Mapping[str, Any]] = {}
    recipient: ClassVar[str] = "colleague"
    longest: ClassVar[int] = 0
    lost: ClassVar[str] = "unknown"

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
        return {"url": self.running.url, "timeout_s": 5.0, **self.keys}

    def message(self, n: int, **more: Any) -> Any:
        return super().message(n, **{"recipient": self.recipient, "channel": self.offer, **more})

    def delivered(self) -> Sequence[str]:
        return [one["text"] for one in self.running.state()["taken"]]

    def receipt(self, make: Any, **more: Any) -> Any:
        sender = make()
        (receipt,) = sender.send([self.message(1, **more)])
        sender.close()
        return receipt

    def test_a_lost_answer_is_never_called_unsent(self, make: Any) -> None:
        self.running.next({"lost": True})
        assert self.receipt(make).outcome == self.lost
        assert self._arrived([self.message(1)]) == [1]

    def test_retry_after_is_heeded(self, make: Any) -> None:
        self.running.next({"status": 429, "headers": {"Retry-After": "30"}})
        receipt = self.receipt(make)
        assert (receipt.outcome, receipt.retry_after_s) == ("retry_after", 30)

    def test_an_address_that_is_gone_refuses_nobody(self, make: Any) -> None:
        self.running.next({"status": 404, "body": "no_service"})
        assert self.receipt(make).outcome == "retry_after"

    def test_a_page_in_its_place_tells_nothing(self, make: Any) -> None:
        self.running.next(*[{"status": 200, "body": "<html>login</html>"}] * 3)
        assert self.receipt(make).outcome == "unknown"

    def test_a_wrong_secret_refuses_nobody_and_is_not_shown(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in SECRETS.items():
            monkeypatch.setenv(name, f"{value}-mistaken")
        receipt = self.receipt(make)
        assert receipt.outcome == "retry_after"
        assert "mistaken" not in receipt.detail

    def test_the_longest_text_goes_and_one_more_is_refused_here(self, make: Any) -> None:
        assert self.receipt(make, text="x" * self.longest).outcome == "accepted"
        asked = len(self.running.state()["requests"])
        refused = self.receipt(make, text="x" * (self.longest + 1))
        assert refused.outcome == "refused"
        assert len(self.running.state()["requests"]) == asked


class TestWeCom(ChatSuite):
    offer = "wecom"
    test_offering_costs_nothing = SenderSuite.test_offering_costs_nothing
    test_only_the_public_api_is_imported = SenderSuite.test_only_the_public_api_is_imported
    keys: ClassVar = {"corp_id": "ww1", "agent_id": 1000002, "corp_secret": "env:WECOM_SECRET"}
    longest = 2048
    lost = "accepted"

    def test_a_token_that_ended_early_is_replaced_once(self, make: Any) -> None:
        sender = make()
        assert next(iter(sender.send([self.message(1)]))).outcome == "accepted"
        self.running.next({"forget_tokens": True})
        assert next(iter(sender.send([self.message(2)]))).outcome == "accepted"
        sender.close()
        paths = [r["path"] for r in self.running.state()["requests"]]
        assert paths.count("/cgi-bin/gettoken") == 2
        assert self._arrived([self.message(1), self.message(2)]) == [1, 1]

    @pytest.mark.parametrize(
        ("recipient", "to"),
        [("wang@example.com", "id-wang"), ("+8613800000000", "id-13800000000"), ("WangWu", "WangWu")],
        ids=["e-mail", "phone", "user-id"],
    )
    def test_a_member_is_found_by_address(self, make: Any, recipient: str, to: str) -> None:
        assert self.receipt(make, recipient=recipient).outcome == "accepted"
        assert [one["to"] for one in self.running.state()["taken"]] == [to]

    @pytest.mark.parametrize("recipient", ["missing@example.com", "nobody", "unlicensed"])
    def test_nobody_there_is_refused(self, make: Any, recipient: str) -> None:
        assert self.receipt(make, recipient=recipient).outcome == "refused"

    @pytest.mark.parametrize(
        ("code", "outcome", "wait"),
        [(45009, "retry_after", 60), (-1, "retry_after", None), (60020, "retry_after", None), (40058, "refused", None)],
        ids=str,
    )
    def test_return_codes(self, make: Any, code: int, outcome: str, wait: float | None) -> None:
        self.running.next({"status": 200, "body": {"errcode": code, "errmsg": "said"}})
        receipt = self.receipt(make)
        assert (receipt.outcome, receipt.retry_after_s) == (outcome, wait)


class TestWeComRobot(ChatSuite):
    offer = "wecom-robot"
    keys: ClassVar = {"key": "env:WECOM_KEY"}
    longest = 2048

    def test_the_whole_address_is_a_key_too(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WECOM_KEY", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=wk-secret")
        assert self.receipt(make).outcome == "accepted"

    def test_markdown_may_be_twice_as_long(self, make: Any) -> None:
        sender = make(format="markdown")
        (receipt,) = sender.send([self.message(1, text="# " + "重" * 1364)])
        sender.close()
        assert receipt.outcome == "accepted"


class TestDingTalk(ChatSuite):
    offer = "dingtalk"
    longest = 14_000
    keys: ClassVar = {"app_key": "ding1", "app_secret": "env:DING_SECRET", "robot_code": "ding1"}

    @pytest.fixture
    def settings(self) -> Mapping[str, Any]:
        return {"url": self.running.url, "contacts_url": self.running.url, "timeout_s": 5.0, **self.keys}

    @pytest.mark.parametrize(
        ("recipient", "outcome"),
        [
            ("manager1234", "accepted"),
            ("+8613800000001", "accepted"),
            ("+8613800000000", "refused"),
            ("a@example.com", "refused"),
            ("nobody", "refused"),
            ("flooded", "retry_after"),
        ],
        ids=["user-id", "phone", "no-member", "e-mail", "invalid", "flow-control"],
    )
    def test_recipients(self, make: Any, recipient: str, outcome: str) -> None:
        assert self.receipt(make, recipient=recipient).outcome == outcome


class TestDingTalkRobot(ChatSuite):
    offer = "dingtalk-robot"
    keys: ClassVar = {"access_token": "env:DING_TOKEN", "secret": "env:DING_SEC"}
    longest = 18_000

    def test_the_signature_is_that_of_the_reference(self) -> None:
        """Made with ``openssl dgst -sha256 -hmac "this is secret" -binary | base64`` over ``1577262236757\\nthis is secret``."""
        at = datetime.fromtimestamp(1577262236.757, UTC).replace(tzinfo=None)
        assert sign("this is secret", at) == {
            "timestamp": "1577262236757",
            "sign": "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=",
        }

    def test_a_signature_of_another_secret_is_for_us_to_mend(self, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DING_SEC", "SECother")
        receipt = self.receipt(make)
        assert (receipt.outcome, receipt.detail) == ("retry_after", "errcode 310000: sign not match")

    def test_a_text_without_the_keyword_is_refused(self, make: Any) -> None:
        assert self.receipt(make, text="no keyword").outcome == "refused"

    @pytest.mark.parametrize(
        "answer",
        [
            {"status": 302, "headers": {"Location": "/busy"}},
            {"status": 200, "body": {"errcode": 130101, "errmsg": "fast"}},
        ],
        ids=["redirected", "code"],
    )
    def test_more_than_twenty_a_minute_wait_ten_minutes(self, make: Any, answer: Any) -> None:
        self.running.next(answer)
        receipt = self.receipt(make)
        assert (receipt.outcome, receipt.retry_after_s) == ("retry_after", 600)

    def test_markdown_has_a_title(self, make: Any) -> None:
        sender = make(format="markdown")
        list(sender.send([self.message(1)]))
        sender.close()
        assert "test-0001-key" in self.running.state()["taken"][0]["title"]


class TestLine(ChatSuite):
    offer = "line"
    keys: ClassVar = {"channel_token": "env:LINE_TOKEN"}
    recipient = FRIEND
    longest = 5000
    lost = "accepted"

    def test_a_key_that_was_accepted_before_is_as_good(self, make: Any) -> None:
        first, second = self.receipt(make), self.receipt(make)
        assert (first.outcome, first.provider_id) == (second.outcome, second.provider_id) == ("accepted", "460")
        assert self._arrived([self.message(1)]) == [1]

    def test_an_emoji_counts_as_two(self, make: Any) -> None:
        assert self.receipt(make, text="👋" * 2500).outcome == "accepted"
        assert self.receipt(make, text="👋" * 2501).outcome == "refused"

    @pytest.mark.parametrize(
        "recipient", ["wang@example.com", "U123", "U" + "0" * 31 + "f"], ids=["e-mail", "short", "blocked"]
    )
    def test_who_is_no_friend_is_refused(self, make: Any, recipient: str) -> None:
        assert self.receipt(make, recipient=recipient).outcome == "refused"

    def test_a_server_fault_is_asked_again(self, make: Any) -> None:
        self.running.next({"status": 500, "body": {"message": "Internal server error"}})
        assert self.receipt(make).outcome == "accepted"


class TestSlack(ChatSuite):
    offer = "slack"
    keys: ClassVar = {"bot_token": "env:SLACK_TOKEN"}
    recipient = "C0123"
    longest = 40_000

    @pytest.mark.parametrize(
        ("recipient", "outcome"),
        [
            ("ann@example.com", "accepted"),
            ("missing@example.com", "refused"),
            ("nowhere", "refused"),
            ("ratelimited", "retry_after"),
            ("fatal_error", "unknown"),
        ],
    )
    def test_recipients_and_errors(self, make: Any, recipient: str, outcome: str) -> None:
        assert self.receipt(make, recipient=recipient).outcome == outcome

    def test_nothing_in_a_text_calls_a_channel(self, make: Any) -> None:
        self.receipt(make, text="Hi <!channel> & <@U1>")
        assert self.delivered() == ["Hi &lt;!channel&gt; &amp; &lt;@U1&gt;"]


class TestSlackWebhook(ChatSuite):
    offer = "slack-webhook"
    keys: ClassVar = {"hook": "env:SLACK_HOOK"}
    longest = 40_000

    def test_its_address_is_never_shown(self, make: Any) -> None:
        self.running.next({"drop": True})
        receipt = self.receipt(make)
        assert receipt.outcome == "unknown"
        assert "hk-secret" not in receipt.detail


del ChatSuite


def test_entities_are_written_once() -> None:
    assert escaped("a&amp;<b>") == "a&amp;amp;&lt;b&gt;"
