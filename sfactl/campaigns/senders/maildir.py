"""Keep e-mails in a Maildir (one file a message, as mail programs read them)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sfactl.api.context import PluginContext
from sfactl.api.mail import needs_utf8, wire_bytes
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.senders.letterbox import Letterbox


@dataclass(frozen=True, slots=True, kw_only=True)
class MaildirSettings:
    """``folder`` is inside the workspace."""

    folder: str = "outbox"


class MaildirSender:
    """A touchpoint sender whose receiver is a folder."""

    def __init__(self, settings: MaildirSettings, context: PluginContext) -> None:
        self._box = Letterbox(settings.folder, ".eml", context)
        self._context = context

    def check(self) -> CheckReport:
        """Whether the folder can be written to."""
        return self._box.check()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Write each message once; a repeat finds it there."""
        return self._box.put_all(messages, self._write)

    def lookup(self, keys: Sequence[str]) -> Iterable[Receipt]:
        """Which messages are there."""
        return self._box.lookup(keys)

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, message: Message) -> bytes:
        return wire_bytes(message, now=self._context.now(), utf8=needs_utf8(message))
