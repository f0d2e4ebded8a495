"""Postings of services that sign in ways of their own: their published examples, and what must not pass for genuine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from sfactl.api.errors import ConfigError, PolicyError
from sfactl.api.signing import verify

KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1"
    "flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
SENDGRID = {
    "X-Twilio-Email-Event-Webhook-Signature": "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+lu"
    "QAbPIqHh89M15TluLtEZtM=",
    "X-Twilio-Email-Event-Webhook-Timestamp": "1600112502",
}
DROPPED = (
    b'[{"email":"hello@world.com","event":"dropped","reason":"Bounced Address",'
    b'"sg_event_id":"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",'
    b'"sg_message_id":"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",'
    b'"smtp-id":"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>","timestamp":1600112492}]\r\n'
)
"""The example with which SendGrid's own libraries are tested."""
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+12349013030",
    "Digits": "1234",
    "From": "+12349013030",
    "To": "+18005551212",
}
TWILIO = {"X-Twilio-Signature": "0/KCTR6DLpKmkAf8muzZqo1nDgQ="}
"""The example of Twilio's security guide; its token is 12345."""


def moment(seconds: int) -> datetime:
    """Unix seconds as naive UTC."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


NOW = moment(1600112502)


def mailgun(token: str = "t" * 50, seconds: int = 1600112502, key: str = "key-1") -> bytes:
    """A posting as Mailgun signs it: time and token, by the rule of its reference."""
    digest = hmac.new(key.encode(), f"{seconds}{token}".encode(), hashlib.sha256).hexdigest()
    return json.dumps({"signature": {"timestamp": str(seconds), "token": token, "signature": digest}}).encode()


def basic(pair: str) -> dict[str, str]:
    """RFC 7617."""
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def test_the_example_of_sendgrid_is_genuine() -> None:
    """And its id is its body's hash, so that a second delivery is known."""
    assert verify(KEY, SENDGRID, DROPPED, NOW, scheme="sendgrid") == hashlib.sha256(DROPPED).hexdigest()


def test_the_example_of_twilio_is_genuine_in_any_order() -> None:
    """Fields are signed by name."""
    for fields in (CALL, dict(reversed(CALL.items()))):
        assert verify("12345", TWILIO, urlencode(fields).encode(), NOW, scheme="twilio", url=URL)


def test_a_body_of_twilio_that_is_no_form_is_signed_by_its_hash() -> None:
    """Its hash stands in the address."""
    body = b'{"a": 1}'
    url = f"https://go.acme.example/e/sms?bodySHA256={hashlib.sha256(body).hexdigest()}"
    signature = base64.b64encode(hmac.new(b"12345", url.encode(), hashlib.sha1).digest()).decode()
    assert verify("12345", {"x-twilio-signature": signature}, body, NOW, scheme="twilio", url=url)
    with pytest.raises(PolicyError, match="does not fit"):
        verify("12345", {"x-twilio-signature": signature}, body + b" ", NOW, scheme="twilio", url=url)


def test_mailgun_and_postmark_are_genuine() -> None:
    """The first by time and token in the body, the second by a password."""
    assert verify("key-1", {}, mailgun(), NOW, scheme="mailgun") == "t" * 50
    assert verify("hook:pä:ss", basic("hook:pä:ss"), b"{}", NOW, scheme="postmark")


def test_resend_signs_as_the_standard_under_names_of_its_own() -> None:
    """The example of the Standard Webhooks specification."""
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    assert verify(secret, headers, body, moment(1614265330), scheme="resend") == headers["svix-id"]


FORM = urlencode(CALL).encode()


@pytest.mark.parametrize(
    ("scheme", "secret", "headers", "body", "minutes", "said"),
    [
        pytest.param("sendgrid", KEY, SENDGRID, DROPPED[:-2], 0, "does not fit", id="sendgrid-body"),
        pytest.param("sendgrid", KEY, {**SENDGRID, "X-Twilio-Email-Event-Webhook-Timestamp": "1600112503"}, DROPPED, 0, "does not fit", id="sendgrid-time"),
        pytest.param("sendgrid", KEY, {**SENDGRID, "X-Twilio-Email-Event-Webhook-Signature": "AAAA"}, DROPPED, 0, "does not fit", id="sendgrid-garbage"),
        pytest.param("sendgrid", KEY, {**SENDGRID, "X-Twilio-Email-Event-Webhook-Signature": "é"}, DROPPED, 0, "does not fit", id="sendgrid-not-ascii"),
        pytest.param("sendgrid", KEY, {}, DROPPED, 0, "no header x-twilio-email", id="sendgrid-unsigned"),
        pytest.param("sendgrid", KEY, SENDGRID, DROPPED, 6, "old", id="sendgrid-old"),
        pytest.param("twilio", "12345", TWILIO, FORM.replace(b"1234&", b"9999&"), 0, "does not fit", id="twilio-field"),
        pytest.param("twilio", "54321", TWILIO, FORM, 0, "does not fit", id="twilio-token"),
        pytest.param("twilio", "12345", {"X-Twilio-Signature": "é"}, FORM, 0, "does not fit", id="twilio-not-ascii"),
        pytest.param("twilio", "12345", {}, FORM, 0, "no header", id="twilio-unsigned"),
        pytest.param("mailgun", "key-2", {}, mailgun(), 0, "does not fit", id="mailgun-key"),
        pytest.param("mailgun", "key-1", {}, mailgun().replace(b"tttt", b"tttu", 1), 0, "does not fit", id="mailgun-token"),
        pytest.param("mailgun", "key-1", {}, mailgun(), 6, "old", id="mailgun-old"),
        pytest.param("mailgun", "key-1", {}, mailgun(), -6, "ahead", id="mailgun-ahead"),
        pytest.param("mailgun", "key-1", {}, b'{"signature": []}', 0, "no signature", id="mailgun-none"),
        pytest.param("mailgun", "key-1", {}, b"[" * 100_000, 0, "no signature", id="mailgun-deep"),
        pytest.param("postmark", "hook:pass", basic("hook:past"), b"{}", 0, "password does not fit", id="postmark-password"),
        pytest.param("postmark", "hook:pass", {"Authorization": "Bearer x"}, b"{}", 0, "password does not fit", id="postmark-bearer"),
        pytest.param("postmark", "hook:pass", {}, b"{}", 0, "no header authorization", id="postmark-none"),
    ],
)  # fmt: skip
def test_what_is_not_genuine_is_refused(
    scheme: str, secret: str, headers: dict[str, str], body: bytes, minutes: int, said: str
) -> None:
    """Forged, altered, old."""
    with pytest.raises(PolicyError, match=said):
        verify(secret, headers, body, NOW + timedelta(minutes=minutes), scheme=scheme, url=URL)


@pytest.mark.parametrize(
    ("scheme", "secret", "headers"),
    [("sendgrid", "no key", SENDGRID), ("sendgrid", "AAAA", SENDGRID), ("twilio", "12345", TWILIO)],
    ids=["no-base64", "no-key", "no-address"],
)
def test_what_could_tell_nothing_is_said(scheme: str, secret: str, headers: dict[str, str]) -> None:
    """A wrong setting is no forged posting."""
    with pytest.raises(ConfigError):
        verify(secret, headers, DROPPED, NOW, scheme=scheme)
