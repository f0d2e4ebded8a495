"""Put a message into a folder whole or not at all, under a name that comes from its key.

Whoever comes second with a key, be it another process at the same moment, finds the first one's message and leaves it.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
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
        self._drafts = count(1)

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
        drafts: dict[str, Path] = {}
        moved = self._moved()
        for message in messages:
            try:
                if found := self._found(message.key, moved):
                    receipts[message.key] = Receipt(key=message.key, outcome="accepted", provider_id=found)
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
        moved = self._moved()
        for key in keys:
            if found := self._found(key, moved):
                yield Receipt(key=key, outcome="accepted", provider_id=found)
            else:
                yield Receipt(key=key, outcome="retry_after", detail="not in the folder", retry_after_s=0)

    def files(self) -> Iterator[Path]:
        """Every message."""
        for part in ("new", "cur"):
            yield from (self.path / part).glob("*")

    def _make(self) -> None:
        for part in ("tmp", "new", "cur"):
            (self.path / part).mkdir(parents=True, exist_ok=True)

    def _moved(self) -> Mapping[str, str]:
        """Names as they were given → what a mail program that read them made of them (``NAME:2,S``)."""
        if not (self.path / "cur").is_dir():
            return {}
        return {path.name.partition(":")[0]: path.name for path in (self.path / "cur").iterdir()}

    def _found(self, key: str, moved: Mapping[str, str]) -> str:
        """The file of a key wherever it is in the folder, or empty."""
        name = self._name(key)
        return name if (self.path / "new" / name).exists() else moved.get(name, "")

    def _draft(self, key: str, content: bytes) -> Path:
        """Write the message beside the folder; no other process writes to the same file."""
        draft = self.path / "tmp" / f"{self._name(key)}.{os.getpid()}.{next(self._drafts)}"
        draft.write_bytes(content)
        return draft

    def _deliver(self, drafts: Mapping[str, Path]) -> dict[str, Receipt]:
        """Make the drafts durable and move them in; a receipt for each key."""
        receipts: dict[str, Receipt] = {}
        for key, draft in drafts.items():
            try:
                _fsync(draft)
                _move(draft, self.path / "new" / self._name(key))
            except OSError as err:
                receipts[key] = _later(key, err)
        moved = [key for key in drafts if key not in receipts]
        try:
            if moved:
                _fsync(self.path / "new")
        except OSError as err:
            return receipts | {key: _later(key, err) for key in moved}
        return receipts | {key: Receipt(key=key, outcome="accepted", provider_id=self._name(key)) for key in moved}

    def _name(self, key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()[:40] + self._suffix


def _move(draft: Path, target: Path) -> None:
    """Move without ever writing over another's file, where the file system has hard links."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        pass
    except OSError as err:
        if err.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        draft.replace(target)
        return
    draft.unlink()


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _later(key: str, err: OSError) -> Receipt:
    return Receipt(key=key, outcome="retry_after", detail=err.strerror or str(err), retry_after_s=5)
