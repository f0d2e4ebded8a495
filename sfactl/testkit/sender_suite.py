"""What a touchpoint sender must hold to: one honest receipt a message, and no message twice where it promises so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, get_args

from sfactl.api.protocols import ReceiptLookup, TouchpointSender
from sfactl.api.records import CheckReport, Message, Outcome, Receipt
from sfactl.host import Host
from sfactl.testkit.offer_suite import Make, OfferSuite


class SenderSuite(OfferSuite, ABC):
    """Inherit this to test a sender; the settings must lead to a receiver that takes everything.

    ``delivered`` answers what reached the receiver: one text a delivered message, in which `message` put its key.
    """

    kind: ClassVar[str] = "touchpoint_sender"

    @abstractmethod
    def delivered(self) -> Sequence[str]:
        """What the receiver took: for each message a text that contains the message's key, or its subject."""

    def message(self, n: int, **more: Any) -> Message:
        """Message ``n`` of a test. Its key stands in the text and the subject too, so that it can be recognised."""
        key = f"test-{n:04d}-key"
        fields: dict[str, Any] = {
            "key": key,
            "channel": "email",
            "recipient": f"person{n}@example.com",
            "sender": "sales@example.com",
            "subject": f"你好 👋 {key}",
            "text": f"Hello, this is {key}. 謝謝",
        }
        return Message(**{**fields, **more})

    def test_it_is_a_sender(self, make: Make) -> None:
        """It has the methods of `TouchpointSender`."""
        assert isinstance(make(), TouchpointSender)

    def test_check_sends_nothing(self, make: Make) -> None:
        """``check`` reaches the receiver and leaves nothing there."""
        sender = make()
        report = sender.check()
        sender.close()
        assert isinstance(report, CheckReport)
        assert report.problems == ()
        assert len(self.delivered()) == 0

    def test_each_message_gets_one_receipt_and_arrives_once(self, make: Make) -> None:
        """As many receipts as messages, each with its message's key."""
        messages = [self.message(n) for n in range(5)]
        receipts = self._send(make(), messages)
        assert Counter(r.key for r in receipts) == Counter(m.key for m in messages)
        assert {r.outcome for r in receipts} == {"accepted"}
        assert self._arrived(messages) == [1] * 5

    def test_no_messages_no_receipts(self, make: Make) -> None:
        """An empty batch is no error."""
        assert self._send(make(), []) == []

    def test_two_batches_use_one_sender(self, make: Make) -> None:
        """A sender takes more than one batch before it is closed."""
        sender = make()
        first = list(sender.send([self.message(1)]))
        second = list(sender.send([self.message(2)]))
        sender.close()
        assert [r.outcome for r in (*first, *second)] == ["accepted", "accepted"]

    def test_a_repeat_is_harmless_where_promised(self, host: Host, make: Make) -> None:
        """With the capability ``idempotent``, a message sent again by another process arrives once."""
        if "idempotent" not in host.find(self.kind, self.offer).offer.capabilities:
            return
        messages = [self.message(n) for n in range(3)]
        self._send(make(), messages)
        again = self._send(make(), messages)
        assert {r.outcome for r in again} == {"accepted"}
        assert self._arrived(messages) == [1] * 3

    def test_lookup_tells_sent_from_unknown(self, host: Host, make: Make) -> None:
        """With the capability ``lookup``, a sent key is accepted, and one never seen may be sent."""
        if "lookup" not in host.find(self.kind, self.offer).offer.capabilities:
            return
        message = self.message(1)
        self._send(make(), [message])
        sender = make()
        found = {r.key: r.outcome for r in sender.lookup([message.key, "never-sent"])}
        assert isinstance(sender, ReceiptLookup)
        assert found == {message.key: "accepted", "never-sent": "retry_after"}

    def test_line_breaks_cannot_add_headers(self, make: Make) -> None:
        """A line break in subject or recipient is refused, or arrives as nothing but text."""
        trick = self.message(1, subject="Hi test-0001-key\r\nBcc: everyone@example.com")
        receipts = self._send(make(), [trick])
        assert [r.key for r in receipts] == [trick.key]
        assert receipts[0].outcome in {"accepted", "refused"}
        assert len(self.delivered()) == (receipts[0].outcome == "accepted")

    def test_close_twice_is_harmless(self, make: Make) -> None:
        """``close`` may be called before anything was sent, and again."""
        sender = make()
        sender.close()
        sender.close()

    def _send(self, sender: Any, messages: Sequence[Message]) -> list[Receipt]:
        receipts = list(sender.send(messages))
        sender.close()
        for receipt in receipts:
            assert isinstance(receipt, Receipt)
            assert receipt.outcome in get_args(Outcome)
        return receipts

    def _arrived(self, messages: Sequence[Message]) -> list[int]:
        """How often each message arrived."""
        texts = list(self.delivered())
        return [sum(message.key in text for text in texts) for message in messages]
