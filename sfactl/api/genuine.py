"""Tell genuine postings of services that sign in ways of their own: what each signs is in its public reference.

Mailgun signs a time and a token that stand in the body, Twilio the address and the fields, SendGrid time and body by a
private key; Postmark signs nothing and shows a password that the posting's address holds.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

from sfactl.api.errors import ConfigError, PolicyError
from sfactl.api.records import Posting

MISFIT = "the signature does not fit: another secret, or the posting was altered"
SENDGRID = ("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A posting as it is checked: ``headers`` by names in lower case; older than ``tolerance_s`` is too old."""

    posting: Posting
    secret: str
    tolerance_s: float

    def header(self, name: str) -> str:
        """A header that must be there."""
        found = next((v.strip() for n, v in self.posting.headers.items() if n.lower() == name), "")
        if not found:
            raise PolicyError(f"not signed: there is no header {name}")
        return found

    def check_time(self, name: str, seconds: str) -> None:
        """Refuse a time too far from the posting's."""
        check_time(name, seconds, self.posting.at, self.tolerance_s)


def check_time(name: str, seconds: str, at: datetime, tolerance_s: float) -> None:
    """Refuse a time (Unix, in seconds) that is off by more than ``tolerance_s`` from ``at``. Raises `PolicyError`."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        raise PolicyError(f"{name}: {seconds[:40]!r} is not a number of seconds")
    off = int(seconds) - at.replace(tzinfo=UTC).timestamp()
    if abs(off) > tolerance_s:
        raise PolicyError(f"{name}: {abs(off):,.0f} seconds {'ahead' if off > 0 else 'old'}, more than allowed")


def mailgun(given: Given) -> str:
    """The token of a posting whose ``signature`` is HMAC-SHA256 of time and token, in hex."""
    try:
        signed = json.loads(given.posting.body)["signature"]
        seconds, token, offered = (str(signed[name]) for name in ("timestamp", "token", "signature"))
    except (ValueError, TypeError, KeyError, RecursionError):
        raise PolicyError("not signed: the body has no signature") from None
    expected = hmac.new(given.secret.encode(), f"{seconds}{token}".encode("utf-8", "replace"), hashlib.sha256)
    if not hmac.compare_digest(expected.hexdigest().encode(), offered.encode("utf-8", "replace")):
        raise PolicyError(MISFIT)
    given.check_time("signature.timestamp", seconds)
    return token


def twilio(given: Given) -> str:
    """The signature of a posting: HMAC-SHA1 of the address and all fields by name; of a body that is no form its hash
    stands in the address."""
    offered = given.header("x-twilio-signature")
    url, body = given.posting.url, given.posting.body
    if not url:
        raise ConfigError("Twilio signs the address it posts to", hint="Say it: --url https://go.acme.example/e/NAME")
    said = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
    text = url
    if said:
        if not hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), said.lower().encode()):
            raise PolicyError(MISFIT)
    else:
        fields = sorted(set(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)))
        text += "".join(name + value for name, value in fields)
    expected = base64.b64encode(hmac.new(given.secret.encode(), text.encode(), hashlib.sha1).digest())
    if not hmac.compare_digest(expected, offered.encode("utf-8", "replace")):
        raise PolicyError(MISFIT)
    return offered


def sendgrid(given: Given) -> str:
    """The hash of a posting that SendGrid's private key has signed (ECDSA over P-256 with SHA-256): time and body."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_der_public_key
    except ImportError:
        raise ConfigError("SendGrid's signatures need cryptography", hint="pip install cryptography") from None
    try:
        key = load_der_public_key(base64.b64decode(given.secret, validate=True))
    except (ValueError, binascii.Error):
        raise ConfigError("the verification key of SendGrid is no public key in base64") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigError("the verification key of SendGrid is not one for ECDSA")
    offered, seconds = (given.header(name) for name in SENDGRID)
    try:
        signature = base64.b64decode(offered, validate=True)
        key.verify(signature, seconds.encode() + given.posting.body, ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        raise PolicyError(MISFIT) from None
    given.check_time(SENDGRID[1], seconds)
    return hashlib.sha256(given.posting.body).hexdigest()


def postmark(given: Given) -> str:
    """The hash of a posting that shows ``user:password`` (RFC 7617), as its address at Postmark holds them."""
    scheme, _, offered = given.header("authorization").partition(" ")
    expected = base64.b64encode(given.secret.encode())
    fits = hmac.compare_digest(expected, offered.strip().encode("utf-8", "replace"))
    if scheme.lower() != "basic" or not fits:
        raise PolicyError("the password does not fit")
    return hashlib.sha256(given.posting.body).hexdigest()


WAYS: Mapping[str, Callable[[Given], str]] = {
    "mailgun": mailgun,
    "twilio": twilio,
    "sendgrid": sendgrid,
    "postmark": postmark,
}
"""Ways of services by name; each answers the posting's id, or raises `PolicyError`."""
