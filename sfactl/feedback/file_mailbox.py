"""A mailbox of files. What changed since it was read last is read again: what mails say is known by their content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sfactl.api.context import PluginContext
from sfactl.api.errors import SfactlError
from sfactl.api.records import CheckReport, Cursor, MailPage
from sfactl.feedback.mailboxes import changed_at, files_in, mails_of

PAGE = 1000
PAGE_BYTES = 8_000_000
"""A page holds so many mails at most, and stops growing at so many bytes."""

OVERLAP_NS = 3600 * 10**9
"""Files that came in so shortly before the cursor are read again: two may have the same time, and clocks are set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMailboxSettings:
    """The keys of ``mailboxes/NAME.toml``: where the maildir, the mbox file or the folder is."""

    path: str

    def __post_init__(self) -> None:
        if not self.path.strip():
            raise ValueError("path: name a maildir, an mbox file or a folder")


class FileMailbox:
    """Reads the files at ``path``, relative to the workspace."""

    def __init__(self, settings: FileMailboxSettings, context: PluginContext) -> None:
        self._path = context.workspace / Path(settings.path).expanduser()

    def check(self) -> CheckReport:
        """Whether there is something to read."""
        try:
            files = files_in(self._path, empty=True)
        except SfactlError as err:
            return CheckReport(problems=(err.message,))
        return CheckReport(facts={"path": str(self._path), "files": f"{len(files):,}"})

    def fetch(self, cursor: Cursor | None) -> Iterator[MailPage]:
        """The mails of files that are new or changed since ``cursor``, the oldest file first."""
        since = int(cursor["changed"]) - OVERLAP_NS if cursor else 0
        found = sorted((changed_at(p), p) for p in files_in(self._path, empty=True))
        page: list[bytes] = []
        held = 0
        newest = int(cursor["changed"]) if cursor else 0
        for at, path in found:
            if at < since:
                continue
            newest = max(newest, at)
            for raw in mails_of(path):
                page.append(raw)
                held += len(raw)
                if len(page) == PAGE or held >= PAGE_BYTES:
                    # A file that was read in part is as new as the cursor, so that it is read again.
                    yield MailPage(mails=page, cursor={"changed": newest})
                    page, held = [], 0
        if page:
            yield MailPage(mails=page, cursor={"changed": newest})

    def close(self) -> None:
        """Nothing is held open."""
