"""Keep messages of any channel as JSON files, for another program to pick up."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sfactl.api.context import PluginContext
from sfactl.api.records import CheckReport, Message, Receipt
from sfactl.campaigns.senders.letterbox import Letterbox


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxSettings:
    """``folder`` is inside the workspace."""

    folder: str = "outbox"


class OutboxSender:
    """A touchpoint sender whose receiver is a folder of JSON files."""

    def __init__(self, settings: OutboxSettings, context: PluginContext) -> None:
        self._box = Letterbox(settings.folder, ".json", context)

    def check(self) -> CheckReport:
        """Whether the folder can be written to."""
        return self._box.check()

    def send(self, messages: Sequence[Message]) -> Iterator[Receipt]:
        """Write each message once; a repeat finds it there."""
        return self._box.put_all(messages, _write)

    def lookup(self, keys: Sequence[str]) -> Iterable[Receipt]:
        """Which messages are there."""
        return self._box.lookup(keys)

    def close(self) -> None:
        """Nothing is open."""


def _write(message: Message) -> bytes:
    said = dataclasses.asdict(message)
    return (json.dumps(said, ensure_ascii=False, indent=1, default=_base64) + "\n").encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
