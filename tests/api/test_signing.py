"""Signatures of postings: published examples, and everything that must not pass for genuine."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from sfactl.api.errors import NotFound, PolicyError
from sfactl.api.posting import key_uuid
from sfactl.api.signing import signed, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
"""The example of the Standard Webhooks specification."""


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


AT = moment(1614265330)


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
        ({"webhook-timestamp": "9" * 40}, BODY, 0, "not a number"),
        ({"webhook-signature": ""}, BODY, 0, "no header webhook-signature"),
        ({}, BODY, 6, "old"),
        ({}, BODY, -6, "ahead"),
    ],
    ids=["body", "id", "time", "version", "not-ascii", "float", "digits", "huge", "none", "old", "ahead"],
)
def test_what_is_not_genuine_is_refused(headers: dict[str, str], body: bytes, minutes: int, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        verify(SECRET, {**HEADERS, **headers}, body, AT + timedelta(minutes=minutes))


def whsec(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


@pytest.mark.parametrize(
    ("key", "data", "digest"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (b"\xaa" * 20, b"\xdd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (bytes(range(1, 26)), b"\xcd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (
            b"\xaa" * 131,
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be"
            b" hashed before being used by the HMAC algorithm.",
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
        ),
    ],
    ids=["1", "2", "3", "4", "6", "7"],
)
def test_the_vectors_of_rfc_4231(key: bytes, data: bytes, digest: str) -> None:
    headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": "d"}
    assert verify(whsec(key), headers, data, AT, scheme="github") == "d"
    assert verify(
        whsec(key), {"x-line-signature": base64.b64encode(bytes.fromhex(digest)).decode()}, data, AT, scheme="line"
    )
    wrong = {**headers, "X-Hub-Signature-256": f"sha256={digest[::-1]}"}
    with pytest.raises(PolicyError):
        verify(whsec(key), wrong, data, AT, scheme="github")


def test_githubs_own_example() -> None:
    digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    headers = {"X-Hub-Signature-256": f"sha256={digest}", "X-GitHub-Delivery": "d"}
    assert verify("It's a Secret to Everybody", headers, b"Hello, World!", AT, scheme="github") == "d"


def test_slacks_own_example() -> None:
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        "X-Slack-Request-Timestamp": "1531420618",
        "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    assert verify("8f742231b10e8888abcd99yyyzzz85a5", headers, body, moment(1531420618), scheme="slack")
    with pytest.raises(PolicyError, match="old"):
        verify("8f742231b10e8888abcd99yyyzzz85a5", headers, body, moment(1531421000), scheme="slack")


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(NotFound, match="no scheme 'teams'"):
        verify(SECRET, HEADERS, BODY, AT, scheme="teams")


def test_the_uuid_of_a_key_is_the_same_on_every_attempt() -> None:
    assert (
        key_uuid("acme.spring.invite.1.1") == key_uuid("acme.spring.invite.1.1") != key_uuid("acme.spring.invite.2.1")
    )
