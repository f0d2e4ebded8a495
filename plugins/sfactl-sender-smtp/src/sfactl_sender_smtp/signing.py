"""Which keys sign the mail of a sender, and for which domain."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from sfactl.api.context import PluginContext
from sfactl.api.mail import ascii_domain, sender_domain
from sfactl.api.records import Message
from sfactl_sender_smtp.settings import SmtpSettings

if TYPE_CHECKING:
    from sfactl_sender_smtp.keys import SigningKey


class Signer:
    """The signatures of one sender, with none, one or two keys."""

    def __init__(self, settings: SmtpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context

    @cached_property
    def keys(self) -> Sequence[SigningKey]:
        """The keys of the settings. Raises `ConfigError`."""
        s = self._settings
        if not (s.dkim_selector or s.dkim_second_selector):
            return ()
        from sfactl_sender_smtp.keys import read_key  # late, as dkimpy below: who does not sign need not wait for it

        pairs = ((s.dkim_selector, s.dkim_private_key), (s.dkim_second_selector, s.dkim_second_private_key))
        return [read_key(selector, key, self._context) for selector, key in pairs if selector]

    def summary(self) -> str:
        """The keys in words. Raises `ConfigError`."""
        return ", ".join(f"{key.selector} ({key.algorithm})" for key in self.keys)

    def domain(self, message: Message) -> str:
        """The domain that answers for ``message``."""
        return ascii_domain(self._settings.dkim_domain) or sender_domain(message.sender)

    def signatures(self, message: Message, content: bytes) -> bytes:
        """The headers to put in front of ``content``. Raises `ConfigError` for a key that is none."""
        return self.over(content, self.domain(message)) if self.keys else b""

    def over(self, content: bytes, domain: str) -> bytes:
        """The headers by which ``domain`` answers for ``content``, one a key. Raises ValueError."""
        from sfactl_sender_smtp.signature import sign

        now = self._context.now()
        return b"".join(sign(content, key, domain, now=now) for key in self.keys)
