"""The keys of ``senders/NAME.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSettings:
    """How to reach the server. ``password`` is a reference: ``env:NAME`` or ``file:PATH``."""

    host: str
    port: int = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = ""
    ca_file: str = ""
    helo: str = ""
    return_path: str = ""
    timeout_s: float = 30.0
    retry_after_s: float = 60.0

    def __post_init__(self) -> None:
        if not 0 < self.port < 65536:
            raise ValueError(f"port: {self.port} is not a port")
        if bool(self.user) != bool(self.password):
            raise ValueError("user and password go together")
        if self.user and self.tls == "none" and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError('tls: a password may not leave this machine in the clear; use "starttls" or "implicit"')
        if self.timeout_s <= 0 or self.retry_after_s < 0:
            raise ValueError("timeout_s must be above 0 and retry_after_s not below 0")
