"""Signatures of postings: the specification's own example, and everything that must not pass for genuine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sfactl.api.errors import PolicyError
from sfactl.api.posting import key_uuid
from sfactl.api.signing import signed, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime.fromtimestamp(1614265330, UTC).replace(tzinfo=None)
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The example of the Standard Webhooks specification."""


def test_the_examples_signature_is_ours() -> None:
    assert signed(SECRET, HEADERS["webhook-id"], BODY, AT) == HEADERS


@pytest.mark.parametrize("names", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
def test_a_genuine_posting_tells_its_id(names: object) -> None:
    headers = {names(k): v for k, v in HEADERS.items()}  # type: ignore[operator]
    assert verify(SECRET, headers, BODY, AT + timedelta(minutes=4)) == HEADERS["webhook-id"]


def test_one_of_several_signatures_is_enough_while_secrets_change() -> None:
    both = {**HEADERS, "webhook-signature": f"v1,AAAA v2,xyz {HEADERS['webhook-signature']}"}
    assert verify(SECRET, both, BODY, AT)


@pytest.mark.parametrize(
    ("headers", "body", "minutes", "said"),
    [
        ({}, BODY + b" ", 0, "does not fit"),
        ({"webhook-id": "another"}, BODY, 0, "does not fit"),
        ({"webhook-timestamp": "1614265331"}, BODY, 0, "does not fit"),
        ({"webhook-signature": "v1a,g0hM9SsE"}, BODY, 0, "does not fit"),
        ({"webhook-signature": "v1,\u00e9"}, BODY, 0, "does not fit"),
        ({"webhook-timestamp": "1e9"}, BODY, 0, "not a number"),
        ({"webhook-timestamp": "\u0661"}, BODY, 0, "not a number"),
        ({"webhook-signature": ""}, BODY, 0, "no header webhook-signature"),
        ({}, BODY, 6, "old"),
        ({}, BODY, -6, "ahead"),
    ],
    ids=["body", "id", "time", "version", "not-ascii", "float", "digits", "none", "old", "ahead"],
)
def test_what_is_not_genuine_is_refused(headers: dict[str, str], body: bytes, minutes: int, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        verify(SECRET, {**HEADERS, **headers}, body, AT + timedelta(minutes=minutes))


def test_the_uuid_of_a_key_is_the_same_on_every_attempt() -> None:
    assert (
        key_uuid("acme.spring.invite.1.1") == key_uuid("acme.spring.invite.1.1") != key_uuid("acme.spring.invite.2.1")
    )
