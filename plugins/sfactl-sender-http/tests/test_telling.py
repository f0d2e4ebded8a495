"""What services tell: each kind of event as their references show it, told twice the same, and garbage."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sfactl_sender_http.telling import Teller

from sfactl.api.errors import ConfigError, DataError
from sfactl.api.records import MessageEvent, Posting

NOW = datetime(2026, 11, 22, 9, 0)


def teller(service: str) -> Teller:
    """A reader of the postings of ``service``."""
    made = Teller()
    made.told_by(service, "env:KEY")
    return made


def told(service: str, said: Any) -> list[MessageEvent]:
    """What a posting of ``service`` tells."""
    return list(teller(service).events(said if isinstance(said, bytes) else json.dumps(said).encode(), NOW))


def sendgrid(event: str, **more: Any) -> dict[str, Any]:
    """One event of SendGrid's Event Webhook."""
    own = {"email": "Ann@example.com", "timestamp": 1763800000, "sg_event_id": "e1", "sg_message_id": "m1.recv.0"}
    return {**own, "event": event, "sfactl_key": "k.1", **more}


def mailgun(event: str, **more: Any) -> dict[str, Any]:
    """One posting of Mailgun."""
    data = {"event": event, "id": "e1", "timestamp": 1763800000.123, "recipient": "ann@example.com"}
    headers = {"message": {"headers": {"message-id": "m1@mg.example.com"}}, "user-variables": {"sfactl_key": "k.1"}}
    return {"signature": {}, "event-data": {**data, **headers, **more}}


def postmark(record: str, **more: Any) -> dict[str, Any]:
    """One posting of Postmark."""
    return {"RecordType": record, "MessageID": "883953f4", "Recipient": "ann@example.com", **more}


def resend(kind: str, **more: Any) -> dict[str, Any]:
    """One posting of Resend."""
    data = {"email_id": "56761188", "to": ["ann@example.com"], **more}
    return {"type": kind, "created_at": "2026-11-22T08:00:01.894719+00:00", "data": data}


AT = {"ReceivedAt": "2026-11-22T08:00:00Z"}
BOUNCED = {"Email": "ann@example.com", "Recipient": "", "BouncedAt": "2026-11-22T13:28:10.2735393-04:00", "ID": 42}
CASES = {
    "sendgrid-delivered": ("sendgrid", [sendgrid("delivered", response="250 OK")], [("delivered", None)]),
    "sendgrid-bounce": ("sendgrid", [sendgrid("bounce", type="bounce", status="5.1.1", bounce_classification="Invalid Address")], [("bounce", True)]),
    "sendgrid-full": ("sendgrid", [sendgrid("bounce", type="bounce", bounce_classification="Mailbox Unavailable")], [("bounce", False)]),
    "sendgrid-unclear": ("sendgrid", [sendgrid("bounce", type="bounce", reason="550 5.1.1 user unknown")], [("bounce", None)]),
    "sendgrid-blocked": ("sendgrid", [sendgrid("bounce", type="blocked")], [("bounce", False)]),
    "sendgrid-dropped": ("sendgrid", [sendgrid("dropped", reason="Bounced Address")], [("bounce", True)]),
    "sendgrid-dropped-left": ("sendgrid", [sendgrid("dropped", reason="Unsubscribed Address")], [("unsubscribe", None)]),
    "sendgrid-dropped-spam": ("sendgrid", [sendgrid("dropped", reason="Spam Reporting Address")], [("complaint", None)]),
    "sendgrid-others": ("sendgrid", [sendgrid(e) for e in ("processed", "deferred", "group_resubscribe", "new")], []),
    "sendgrid-many": ("sendgrid", [sendgrid("spamreport"), sendgrid("unsubscribe"), sendgrid("open")], [("complaint", None), ("unsubscribe", None), ("open", None)]),
    "mailgun-delivered": ("mailgun", mailgun("delivered"), [("delivered", None)]),
    "mailgun-failed": ("mailgun", mailgun("failed", severity="permanent", reason="bounce"), [("bounce", None)]),
    "mailgun-before": ("mailgun", mailgun("failed", severity="permanent", reason="suppress-bounce"), [("bounce", True)]),
    "mailgun-left": ("mailgun", mailgun("failed", severity="permanent", reason="suppress-unsubscribe"), [("unsubscribe", None)]),
    "mailgun-temporary": ("mailgun", mailgun("failed", severity="temporary"), []),
    "mailgun-complained": ("mailgun", mailgun("complained"), [("complaint", None)]),
    "mailgun-others": ("mailgun", mailgun("accepted"), []),
    "postmark-delivery": ("postmark", postmark("Delivery", DeliveredAt="2026-11-22T08:00:00Z"), [("delivered", None)]),
    "postmark-hard": ("postmark", postmark("Bounce", Type="HardBounce", **BOUNCED), [("bounce", True)]),
    "postmark-soft": ("postmark", postmark("Bounce", Type="SoftBounce", **BOUNCED), [("bounce", False)]),
    "postmark-absent": ("postmark", postmark("Bounce", Type="AutoResponder", **BOUNCED), []),
    "postmark-complaint": ("postmark", postmark("SpamComplaint", **BOUNCED), [("complaint", None)]),
    "postmark-click": ("postmark", postmark("Click", OriginalLink="https://a.example", **AT), [("click", None)]),
    "postmark-left": ("postmark", postmark("SubscriptionChange", SuppressSending=True, SuppressionReason="ManualSuppression", ChangedAt="2026-11-22T08:00:00Z"), [("unsubscribe", None)]),
    "postmark-back": ("postmark", postmark("SubscriptionChange", SuppressSending=False, ChangedAt="2026-11-22T08:00:00Z"), []),
    "resend-bounced": ("resend", resend("email.bounced", bounce={"type": "Permanent", "message": "gone"}), [("bounce", None)]),
    "resend-transient": ("resend", resend("email.bounced", bounce={"type": "Transient"}), [("bounce", False)]),
    "resend-clicked": ("resend", resend("email.clicked", click={"link": "https://a.example"}), [("click", None)]),
    "resend-others": ("resend", resend("email.delivery_delayed"), []),
    "twilio-delivered": ("twilio", b"MessageSid=SM1&MessageStatus=delivered&To=%2B886912345678", [("delivered", None)]),
    "twilio-no-number": ("twilio", b"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30005&To=%2B886912345678", [("bounce", True)]),
    "twilio-off": ("twilio", b"MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003&To=%2B886912345678", [("bounce", False)]),
    "twilio-left": ("twilio", b"MessageSid=SM1&MessageStatus=failed&ErrorCode=21610&To=%2B886912345678", [("unsubscribe", None)]),
    "twilio-stop": ("twilio", b"MessageSid=SM2&SmsStatus=received&Body=STOP&OptOutType=STOP&From=%2B886912345678", [("unsubscribe", None)]),
    "twilio-answer": ("twilio", b"MessageSid=SM2&SmsStatus=received&Body=Call+me&From=%2B886912345678", [("reply", None)]),
    "twilio-sent": ("twilio", b"MessageSid=SM1&MessageStatus=sent&To=%2B886912345678", []),
}  # fmt: skip


@pytest.mark.parametrize(("service", "said", "kinds"), CASES.values(), ids=list(CASES))
def test_each_event_is_what_it_says(service: str, said: Any, kinds: list[tuple[str, bool | None]]) -> None:
    """And has the same id when it is told again."""
    events = told(service, said)
    assert [(e.kind, e.hard) for e in events] == kinds
    assert [e.id for e in told(service, said)] == [e.id for e in events]
    assert all(e.recipient and (e.key or e.provider_id or e.kind in ("reply", "unsubscribe")) for e in events)


def test_what_stands_in_it_is_kept() -> None:
    """Key, ids, time in UTC, the server's words, and who opened it."""
    (event,) = told("sendgrid", [sendgrid("open", useragent="Mozilla/5.0", sg_machine_open=True)])
    assert (event.key, event.provider_id, event.at) == ("k.1", "m1", datetime(2025, 11, 22, 8, 26, 40))
    assert (event.agent, event.machine) == ("Mozilla/5.0", True)
    status = {"code": 550, "enhanced-code": "5.1.1", "message": "no such user", "description": ""}
    (event,) = told("mailgun", mailgun("failed", severity="permanent", reason="bounce", **{"delivery-status": status}))
    assert (event.message_id, event.said) == ("m1@mg.example.com", "550 5.1.1 no such user")
    (event,) = told("postmark", postmark("Bounce", Type="HardBounce", **BOUNCED))
    assert (event.at, event.provider_id) == (datetime(2026, 11, 22, 17, 28, 10, 273539), "883953f4")


def test_two_links_of_one_message_are_two_events() -> None:
    """Postmark and Resend have no id for an event."""
    links = ["https://a.example", "https://b.example"]
    assert len({told("postmark", postmark("Click", OriginalLink=x, **AT))[0].id for x in links}) == 2
    assert len({told("resend", resend("email.clicked", click={"link": x}))[0].id for x in links}) == 2


@pytest.mark.parametrize("service", ["sendgrid", "mailgun", "postmark", "resend", "twilio"])
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 99_999, b"[1]", b"<html>"], ids=range(6))
def test_what_is_no_posting_is_refused(service: str, body: bytes) -> None:
    """With an error, not a fault."""
    with pytest.raises(DataError):
        told(service, body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
NAMES = ["event", "timestamp", "email", "sg_event_id", "event-data", "RecordType", "Type", "BouncedAt", "type", "data"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["sendgrid", "mailgun", "postmark", "resend"]),
    st.dictionaries(st.sampled_from([*NAMES, "to", "created_at", "message", "bounce", "reason"]), VALUES, max_size=8),
)
def test_whatever_a_field_holds_nothing_breaks(service: str, row: dict[str, Any]) -> None:
    """A field may be of any type."""
    for said in ([row], {"event-data": row, "data": row, **row}):
        assert all(event.id and event.recipient for event in told(service, said))


def test_without_a_key_nothing_is_genuine() -> None:
    """It says which key of the file is missing."""
    made = Teller()
    made.told_by("postmark", "")
    assert not made.listens
    with pytest.raises(ConfigError, match="events_key"):
        made.verify(Posting(body=b"{}", headers={}, at=NOW))
