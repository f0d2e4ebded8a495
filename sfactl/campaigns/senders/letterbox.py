"""Put a message into a folder whole or not at all, under a name that comes from its key."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError
from sfactl.api.records import CheckReport, Message, Receipt


class Letterbox:
    """A folder ``new`` with one file a key, and ``tmp`` beside it; a file once there is never written again."""

    def __init__(self, folder: str, suffix: str, context: PluginContext) -> None:
        path = (context.workspace / folder).resolve()
        if not path.is_relative_to(context.workspace.resolve()):
            raise ConfigError(f"folder: {folder!r} is outside the workspace")
        self.path = path
        self._suffix = suffix

    def check(self) -> CheckReport:
        """Whether the folder can be written to; says how many messages are in it."""
        try:
            self._make()
        except OSError as err:
            return CheckReport(problems=(f"{self.path} cannot be written: {err.strerror}",))
        return CheckReport(facts={"folder": str(self.path), "messages": str(sum(1 for _ in self.files()))})

    def put_all(self, messages: Sequence[Message], write: Callable[[Message], bytes]) -> Iterator[Receipt]:
        """Put the messages and answer a receipt for each once it is durable.

        They become durable together: what costs is the waiting for the disk, which for many is hardly longer than for
        one.
        """
        self._make()
        receipts: dict[str, Receipt] = {}
        drafts: dict[str, str] = {}
        for message in messages:
            try:
                if found := self.find(message.key):
                    receipts[message.key] = Receipt(key=message.key, outcome="accepted", provider_id=found.name)
                else:
                    drafts[message.key] = self._draft(message.key, write(message))
            except (ValueError, UnicodeError) as err:
                receipts[message.key] = Receipt(
                    key=message.key, outcome="refused", detail=f"it cannot be written: {err}"
                )
            except OSError as err:
                receipts[message.key] = _later(message.key, err)
        receipts |= self._deliver(drafts)
        for message in messages:
            yield receipts[message.key]

    def lookup(self, keys: Sequence[str]) -> Iterable[Receipt]:
        """Which keys are there."""
        for key in keys:
            if found := self.find(key):
                yield Receipt(key=key, outcome="accepted", provider_id=found.name)
            else:
                yield Receipt(key=key, outcome="retry_after", detail="not in the folder", retry_after_s=0)

    def find(self, key: str) -> Path | None:
        """The file of a key, wherever a mail program moved it within the folder."""
        name = self._name(key)
        if (path := self.path / "new" / name).exists():
            return path
        return next(iter((self.path / "cur").glob(f"{name}*")), None)

    def files(self) -> Iterator[Path]:
        """Every message."""
        for part in ("new", "cur"):
            yield from (self.path / part).glob("*")

    def _make(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self.path / part).mkdir(parents=True, exist_ok=True)

    def _draft(self, key: str, content: bytes) -> str:
        """Write the message beside the folder; answers its name."""
        name = self._name(key)
        (self.path / "tmp" / name).write_bytes(content)
        return name

    def _deliver(self, drafts: Mapping[str, str]) -> dict[str, Receipt]:
        """Make the drafts durable and move them in; a receipt for each key."""
        receipts: dict[str, Receipt] = {}
        for key, name in drafts.items():
            draft = self.path / "tmp" / name
            try:
                _fsync(draft)
                draft.replace(self.path / "new" / name)
            except OSError as err:
                receipts[key] = _later(key, err)
        moved = [key for key in drafts if key not in receipts]
        try:
            if moved:
                _fsync(self.path / "new")
        except OSError as err:
            return receipts | {key: _later(key, err) for key in moved}
        return receipts | {key: Receipt(key=key, outcome="accepted", provider_id=drafts[key]) for key in moved}

    def _name(self, key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()[:40] + self._suffix


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _later(key: str, err: OSError) -> Receipt:
    return Receipt(key=key, outcome="retry_after", detail=err.strerror or str(err), retry_after_s=5)
