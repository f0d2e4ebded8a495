"""Private keys for DKIM: what is taken as one, how it signs a digest, and what DNS must publish for it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError

SHORTEST_RSA = 1024
"""RFC 8301, 3.2: shorter signatures count as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """``sign`` takes a SHA-256 digest; ``public`` stands after ``p=`` in DNS; ``for_dkimpy`` is in its form."""

    selector: str
    algorithm: Literal["rsa", "ed25519"]
    bits: int
    public: str
    for_dkimpy: bytes
    sign: Callable[[bytes], bytes]

    @property
    def record(self) -> str:
        """The TXT record to publish at SELECTOR._domainkey.DOMAIN."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"


def read_key(selector: str, reference: str, context: PluginContext) -> SigningKey:
    """The key behind ``reference``: PEM of RSA or Ed25519, or the 32 bytes of an Ed25519 key in base64.

    Raises `ConfigError`, which names the reference and never the key.
    """
    text = context.secret(reference)
    try:
        key = _parsed(text)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error):
        key = None
    if isinstance(key, RSAPrivateKey) and key.key_size >= SHORTEST_RSA:
        return _rsa(selector, key)
    if isinstance(key, Ed25519PrivateKey):
        return _ed25519(selector, key)
    why = f"an RSA key of {key.key_size} bits is too short" if isinstance(key, RSAPrivateKey) else "no private key"
    raise ConfigError(
        f"{reference}: {why} for DKIM",
        hint="Make one: openssl genrsa -out dkim.pem 2048 (or: openssl genpkey -algorithm ed25519 -out dkim.pem).",
    ) from None


def _parsed(text: str) -> object:
    if "-----BEGIN" in text:
        return serialization.load_pem_private_key(text.strip().encode() + b"\n", password=None)
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))


def _rsa(selector: str, key: RSAPrivateKey) -> SigningKey:
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    by = (padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    return SigningKey(
        selector=selector,
        algorithm="rsa",
        bits=key.key_size,
        public=base64.b64encode(public).decode(),
        for_dkimpy=private,
        sign=lambda digest: key.sign(digest, *by),
    )


def _ed25519(selector: str, key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(
        selector=selector,
        algorithm="ed25519",
        bits=256,
        public=base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        for_dkimpy=base64.b64encode(key.private_bytes_raw()),
        sign=key.sign,
    )
