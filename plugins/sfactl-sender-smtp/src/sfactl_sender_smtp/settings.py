"""The keys of ``senders/NAME.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LONGEST_ANSWER_S = 300.0
HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How to reach the server and how to sign.

    ``password`` (with ``auth = "xoauth2"`` the access token) and the private keys are references: ``env:NAME`` or
    ``file:PATH``. ``answer_timeout_s`` is the wait for the answer to a whole message, by default ten times
    ``timeout_s`` and at most five minutes: giving up too soon makes outcomes unknown. ``messages_per_connection`` is 0
    for any number. A second key signs a second time: Ed25519 beside RSA (RFC 8463, 3), or a new selector beside the
    old. ``nameserver`` (``IP`` or ``IP:PORT``) is asked instead of the system's when a domain is checked.
    """

    host: str
    port: int = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = ""
    auth: Literal["auto", "plain", "login", "cram-md5", "xoauth2"] = "auto"
    ca_file: str = ""
    helo: str = ""
    return_path: str = ""
    pipelining: bool = True
    messages_per_connection: int = 500
    timeout_s: float = 30.0
    answer_timeout_s: float | None = None
    retry_after_s: float = 60.0
    dkim_domain: str = ""
    dkim_selector: str = ""
    dkim_private_key: str = ""
    dkim_second_selector: str = ""
    dkim_second_private_key: str = ""
    nameserver: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port: {self.port} is not a port")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        if self.user and self.tls == "none" and self.host not in HERE:
            raise ValueError('tls: a password may not leave this machine in the clear; use "starttls" or "implicit"')
        if self.timeout_s <= 0 or self.retry_after_s < 0 or (self.answer_timeout_s or 1) <= 0:
            raise ValueError("timeout_s and answer_timeout_s must be above 0 and retry_after_s not below 0")
        if self.messages_per_connection < 0:
            raise ValueError("messages_per_connection must not be below 0")
        if bool(self.dkim_selector) != bool(self.dkim_private_key):
            raise ValueError("dkim_selector and dkim_private_key go together")
        if bool(self.dkim_second_selector) != bool(self.dkim_second_private_key):
            raise ValueError("dkim_second_selector and dkim_second_private_key go together")
        if self.dkim_second_selector and self.dkim_second_selector == self.dkim_selector:
            raise ValueError("dkim_second_selector is the same as dkim_selector; each key has a selector of its own")

    @property
    def answer_wait_s(self) -> float:
        """How long to wait for the answer to a whole message."""
        if self.answer_timeout_s is not None:
            return self.answer_timeout_s
        return max(self.timeout_s, min(10 * self.timeout_s, LONGEST_ANSWER_S))
