"""A folder with one JSON file a document, named by our key: written whole or not at all, and never twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sfactl.api.errors import ServerFault, Transient

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Outbox:
    """One kind of document below one folder."""

    folder: Path

    def path(self, key: str) -> Path:
        """The file of ``key``: colons become underscores, all else that a file name may not hold is quoted."""
        name = quote(key, safe=" ").replace("_", "%5F").replace("%3A", "_")
        if len(name) > LONGEST_NAME:
            name = f"{name[:120]}-{hashlib.sha256(key.encode()).hexdigest()}"
        return self.folder / f"{name}.json"

    def read(self, key: str) -> dict[str, Any] | None:
        """The document of ``key``, or None."""
        return _read(self.path(key))

    def write(self, key: str, document: Mapping[str, Any]) -> None:
        """Put the document there, in one step that survives a crash. Raises `Transient` if the disk refuses."""
        path = self.path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(document, file, ensure_ascii=False, indent=2)
                    file.write("\n")
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).chmod(0o644)  # an accountant reads it under another account
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            _fsync_folder(self.folder)
        except OSError as err:
            raise Transient(f"{path}: cannot be written ({err.strerror})") from err

    def documents(self) -> Iterator[dict[str, Any]]:
        """All documents, by file name."""
        for path in sorted(self.folder.glob("*.json")):
            document = _read(path)
            if document is not None:
                yield document


def _read(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as err:
        raise ServerFault(f"{path}: cannot be read ({err})", hint="Repair or remove the file.") from err
    if not isinstance(document, dict):
        raise ServerFault(f"{path}: is not a JSON object", hint="Repair or remove the file.")
    return document


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
