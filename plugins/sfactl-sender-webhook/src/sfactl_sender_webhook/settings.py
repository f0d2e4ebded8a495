"""The keys of a sender file that says ``use = "webhook"``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where messages are posted.

    ``sign_secret`` refers to the key of the signature, ``auth_secret`` to a token sent in ``auth_header`` behind
    ``auth_prefix``. Say ``receiver_is_idempotent`` only of a receiver that takes a message with the same
    Idempotency-Key once, however often it comes: then a message whose answer was lost is sent again. ``parallel`` is
    how many messages are under way at a time, and so how many can become unknown at once.
    """

    url: str
    sign_secret: str = ""
    auth_header: str = "Authorization"
    auth_prefix: str = "Bearer "
    auth_secret: str = ""
    receiver_is_idempotent: bool = False
    timeout_s: float = 30.0
    parallel: int = 4

    def __post_init__(self) -> None:
        """Refuse an address that cannot be posted to."""
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url: {self.url!r} does not begin with http:// or https://")
        if not 1 <= self.parallel <= 10:
            raise ValueError(f"parallel: {self.parallel} is not between 1 and 10")
