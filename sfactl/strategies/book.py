"""What a walk follows: the strategy as its file says now, the versions of those who are on the way, and its rivals.

Who is in finishes the version it began with; whoever enters takes the newest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sfactl.api.errors import DataError
from sfactl.campaigns.candidates import Place
from sfactl.config.objects import read_toml
from sfactl.engine.duck import Query
from sfactl.strategies.files import (
    HEADER,
    Names,
    StrategyFile,
    parse_strategy,
    read_strategy,
    strategy_names,
    strategy_path,
)
from sfactl.strategies.model import Strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All that a walk needs beside the data. ``older`` are versions with leads in them, by version.

    ``group`` are the other strategies that share its customers, ``rivals`` those of them that get a customer first.
    """

    file: StrategyFile
    names: Names
    place: Place
    older: Mapping[str, StrategyFile] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    rivals: tuple[StrategyFile, ...] = ()

    @property
    def name(self) -> str:
        """The strategy's name."""
        return self.file.name

    @property
    def ends_at(self) -> datetime | None:
        """When the strategy ends, naive UTC; a time without a zone is the workspace's."""
        end = self.file.strategy.expires_at
        if end is None:
            return None
        zoned = end if end.tzinfo else end.replace(tzinfo=ZoneInfo(self.place.time_zone))
        return zoned.astimezone(UTC).replace(tzinfo=None)

    @property
    def versions(self) -> tuple[StrategyFile, ...]:
        """Every version to walk, the newest first."""
        return (self.file, *(self.older[v] for v in sorted(self.older)))


def open_book(query: Query, name: str, place: Place, names: Names) -> Book:
    """The book of the strategy ``name``: its file, and from the query's data the versions that leads are in.

    Raises `NotFound`, `ConfigError`, and `DataError` where a version is missing that leads follow.
    """
    file = read_strategy(names.folder, name)
    rivals = rivals_of(file.strategy, names.folder) if file.strategy.exclusive else ()
    return Book(
        file=file,
        names=names,
        place=place,
        older=versions_in_flight(query, file),
        group=tuple(sorted(r.name for r in rivals)),
        rivals=tuple(r for r in rivals if r.strategy.state == "active" and _comes_first(r.strategy, file.strategy)),
    )


def versions_in_flight(query: Query, file: StrategyFile) -> dict[str, StrategyFile]:
    """The other versions that leads of the strategy follow, under today's header."""
    found = query.rows(
        "select e.version, v.text from (select distinct version from enrolments where strategy = $name"
        " and left_at is null and version <> $version) e"
        " left join strategy_versions v on v.strategy = $name and v.version = e.version order by 1",
        {"name": file.name, "version": file.version},
    )
    older = {}
    for key, text in found:
        if text is None:
            raise DataError(
                f"strategy {file.name}: version {key[:6]}, which leads follow, is not in strategy_versions",
                hint=f"Move them to the newest: sfactl strategy switch {file.name}",
            )
        older[key] = under_header(
            file, parse_strategy(text, file.name, where=f"{file.path} (version {key[:6]})"), key, text
        )
    return older


def under_header(file: StrategyFile, older: Strategy, key: str, text: str) -> StrategyFile:
    """An older version with what counts at once taken from ``file``."""
    header = {f.name: getattr(file.strategy, f.name) for f in fields(Strategy) if f.name in HEADER}
    return replace(file, strategy=replace(older, **header), version=key, text=text)


def rivals_of(strategy: Strategy, folder: Path) -> tuple[StrategyFile, ...]:
    """The other strategies of its exclusive group; what is wrong with a file outside the group stops nobody."""
    others = (name for name in strategy_names(folder) if name != strategy.name)
    return tuple(
        read_strategy(folder, name)
        for name in others
        if read_toml(strategy_path(folder, name)).get("exclusive") == strategy.exclusive
    )


def _comes_first(rival: Strategy, strategy: Strategy) -> bool:
    return (-rival.priority, rival.name) < (-strategy.priority, strategy.name)
