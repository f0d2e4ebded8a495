"""The keys of ``mailboxes/NAME.toml`` with ``use = "imap"``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HERE = ("localhost", "127.0.0.1", "::1")
PORTS = {"implicit": 993, "starttls": 143, "none": 143}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the mailbox is and how to log in; ``password`` is ``env:NAME`` or ``file:PATH``, never the secret itself.

    With ``auth = "xoauth2"`` the password is an access token. ``first_days`` limits the first reading to the mails of
    so many days; 0 takes all. ``largest_mb`` is how much of one mail is read: what a server says stands on top.
    """

    host: str
    user: str
    password: str
    folder: str = "INBOX"
    port: int = 0
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    auth: Literal["login", "xoauth2"] = "login"
    ca_file: str = ""
    timeout_s: float = 30.0
    first_days: int = 0
    largest_mb: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot be, and a password that would travel in the clear."""
        if not self.host or not self.user or not self.password:
            raise ValueError("host, user and password must all be said")
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not a port")
        if self.tls == "none" and self.host not in HERE:
            raise ValueError('tls: "none" sends the password in the clear; it is for a server on this machine only')
        if self.timeout_s <= 0 or self.first_days < 0 or self.largest_mb < 1:
            raise ValueError("timeout_s must be above 0, first_days 0 or more, largest_mb 1 or more")

    @property
    def port_number(self) -> int:
        """The port, by default the usual one."""
        return self.port or PORTS[self.tls]
