"""The settings of a workspace as frozen dataclasses: these classes are the schema of ``sfactl.toml``.

They decide which keys exist, their types and their defaults. Where a value comes from is decided in `layers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sfactl.config.runs import RunSettings
from sfactl.config.touch import Topic, TouchSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """Who we are: the names, zone and money that everything else falls back to.

    ``address`` is the postal address that mail to many owes its readers.
    """

    name: str = ""
    address: str = ""
    time_zone: str = "UTC"
    currency: str = "USD"
    country: str = ""
    language: str = "en"

    def __post_init__(self) -> None:
        """Refuse a zone, currency, country or language that cannot be right."""
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(
                f"time_zone: {self.time_zone!r} is not an IANA time zone, for instance Asia/Taipei"
            ) from None
        _must_match("currency", self.currency, r"[A-Z]{3}", "an ISO 4217 code in capitals, for instance TWD")
        _must_match("country", self.country, r"([A-Z]{2})?", "an ISO 3166 code of two capitals, for instance TW")
        _must_match("language", self.language, r"[a-z]{2,3}([-_][A-Za-z0-9]+)*", "a BCP 47 tag, for instance zh-TW")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How much of the machine the query engine may use; None leaves it to the engine (40 % of memory, all cores)."""

    memory_limit: str | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        """Refuse a limit the engine would not understand."""
        if self.memory_limit is not None:
            _must_match("memory_limit", self.memory_limit, r"\d+(\.\d+)? ?[KMGT]i?B", "a size, for instance 4GB")
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads: {self.threads} is less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSettings:
    """Which installed plugins are left out."""

    disabled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectSettings:
    """Where people's clicks and unsubscribes come in. ``url`` is the collector's public address; empty: there is none.

    Links are signed with ``link_secret``, by default a key of the workspace's own; ``former_secret`` is still taken.
    What was collected waits in the folder ``spool`` (default: the workspace's own) until it is brought in; the
    collector takes no more when ``spool_mb`` megabytes wait.
    """

    url: str = ""
    link_secret: str = ""
    former_secret: str = ""
    spool: str = ""
    spool_mb: int = 1024

    def __post_init__(self) -> None:
        """Refuse an address that a mail program could not open safely."""
        local = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/.*)?"
        if self.url and not re.fullmatch(rf"https://[^\s/?#]+[^\s?#]*|{local}", self.url):
            raise ValueError(f"url: {self.url!r} is not like https://go.acme.example")
        if self.spool_mb < 1:
            raise ValueError(f"spool_mb: {self.spool_mb} is less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a command may know from configuration.

    ``topics`` are what messages can be about. ``fields`` are the custom fields: dataset → field → type. ``sources``,
    ``senders``, ``mailboxes``, ``erp``, ``extractors`` and ``enrichers`` hold one table a file of the folder of that
    name: ``use`` names the offer, the rest are the offer's settings.
    """

    preset: str = ""
    workspace: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    plugins: PluginSettings = field(default_factory=PluginSettings)
    run: RunSettings = field(default_factory=RunSettings)
    collect: CollectSettings = field(default_factory=CollectSettings)
    touch: TouchSettings = field(default_factory=TouchSettings)
    topics: Mapping[str, Topic] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    sources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    senders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mailboxes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    erp: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    extractors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    enrichers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _must_match(key: str, value: str, pattern: str, wanted: str) -> None:
    if not re.fullmatch(pattern, value):
        raise ValueError(f"{key}: {value!r} is not {wanted}")
