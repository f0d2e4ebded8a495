"""Put a message into a folder whole or not at all, under a name that comes from its key."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
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
        """Put each message and answer its receipt once it is durable."""
        self._make()
        for message in messages:
            try:
                content = write(message)
            except (ValueError, UnicodeError) as err:
                yield Receipt(key=message.key, outcome="refused", detail=f"it cannot be written: {err}")
                continue
            try:
                name = self._put(message.key, content)
            except OSError as err:
                yield Receipt(key=message.key, outcome="retry_after", detail=err.strerror or str(err), retry_after_s=5)
                continue
            yield Receipt(key=message.key, outcome="accepted", provider_id=name)

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

    def _put(self, key: str, content: bytes) -> str:
        if found := self.find(key):
            return found.name
        name = self._name(key)
        draft = self.path / "tmp" / name
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path / "new" / name)
        folder = os.open(self.path / "new", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name

    def _name(self, key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()[:40] + self._suffix
