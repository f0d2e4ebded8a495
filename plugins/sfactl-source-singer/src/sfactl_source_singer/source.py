"""Turn a tap's messages into pages. Wherever there is a STATE a page ends at one, for only a STATE can be resumed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sfactl.api.context import PluginContext
from sfactl.api.errors import ConfigError, DataError, SfactlError
from sfactl.api.records import CheckReport, Cursor, Page
from sfactl.api.tables import table_of
from sfactl_source_singer.messages import Record, State, messages
from sfactl_source_singer.settings import Settings
from sfactl_source_singer.tap import running


class SingerSource:
    """Implements `sfactl.api.protocols.LeadSource` with a tap."""

    def __init__(self, settings: Settings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._name = Path(settings.command[0]).name

    def check(self) -> CheckReport:
        """See that the tap and its files are there. The tap itself is not run: it might start to pull."""
        settings, problems = self._settings, []
        facts = {"tap": self._name, "stream": settings.stream or "the only one"}
        if shutil.which(settings.command[0]) is None and not self._path(settings.command[0]).is_file():
            problems.append(f"command: {settings.command[0]} is not installed")
        try:
            self._config()
            streams = self._catalog_streams()
        except SfactlError as err:
            return CheckReport(facts=facts, problems=(*problems, err.message))
        if streams and settings.stream and settings.stream not in streams:
            problems.append(f"stream: {settings.stream!r} is not in the catalog, which has: {', '.join(streams)}")
        return CheckReport(facts=facts, problems=tuple(problems))

    def pull(self, cursor: Cursor | None) -> Iterator[Page]:
        """Run the tap from the state in ``cursor`` and yield its records in pages."""
        state = dict(cursor or {}).get("state")
        config, secrets = self._config()
        files: dict[str, Mapping[str, Any] | Path] = {}
        if config is not None:
            files["--config"] = config
        if self._settings.catalog:
            files[self._settings.catalog_flag] = self._path(self._settings.catalog)
        if state is not None:
            files["--state"] = state
        with running(
            self._settings.command,
            folder=self._context.workspace,
            files=files,
            secrets=secrets,
            silent_s=self._settings.silent_s,
        ) as lines:
            yield from self._pages(messages(lines, self._name), state)

    def _pages(self, found: Iterator[Record | State], state: Any) -> Iterator[Page]:
        rows: list[Mapping[str, Any]] = []
        safe = 0  # how many of the rows stand before the newest state
        ahead = 0  # how many were handed over behind it, and may come again
        moved = False
        try:
            for message in self._of_one_stream(found):
                if isinstance(message, State):
                    state, safe, ahead, moved = message.value, len(rows), 0, True
                    continue
                if len(rows) >= self._settings.page_rows:
                    # A tap that gives no state for long must not fill the memory.
                    cut = safe or len(rows)
                    ahead = 0 if safe else ahead + cut
                    yield _page(rows[:cut], state, ahead)
                    rows, safe, moved = rows[cut:], 0, False
                rows.append(message.row)
        except SfactlError:
            if safe:
                yield _page(rows[:safe], state, 0)
            raise
        if rows or moved:
            yield _page(rows, state, ahead + len(rows) - safe)

    def _of_one_stream(self, found: Iterator[Record | State]) -> Iterator[Record | State]:
        stream = self._settings.stream
        for message in found:
            if isinstance(message, State) or message.stream == (stream := stream or message.stream):
                yield message
            elif not self._settings.stream:
                several = f"{stream}, {message.stream}"
                raise DataError(f"{self._name} has more than one stream: {several}", hint="Say which: stream = …")

    def _config(self) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
        """The tap's config with its secrets, and these secrets by themselves."""
        settings = self._settings
        config: dict[str, Any] = self._json(settings.config, "config") if settings.config else {}
        resolved = {key: self._context.secret(reference) for key, reference in settings.secrets.items()}
        return ({**config, **resolved} if settings.config or resolved else None), tuple(resolved.values())

    def _catalog_streams(self) -> list[str]:
        if not self._settings.catalog:
            return []
        entries = self._json(self._settings.catalog, "catalog").get("streams", [])
        return [str(entry.get("stream") or entry.get("tap_stream_id")) for entry in entries if isinstance(entry, dict)]

    def _json(self, name: str, key: str) -> dict[str, Any]:
        path = self._path(name)
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as err:
            raise ConfigError(f"{key}: {path} cannot be read ({err.strerror})") from None
        except ValueError as err:
            raise ConfigError(f"{key}: {path} is not JSON ({err})") from None
        if not isinstance(found, dict):
            raise ConfigError(f"{key}: {path} is not a JSON object")
        return found

    def _path(self, name: str) -> Path:
        return self._context.workspace / Path(name).expanduser()


def _page(rows: list[Mapping[str, Any]], state: Any, ahead: int) -> Page:
    return Page(table=table_of(rows), cursor={"state": state, "ahead": ahead})
