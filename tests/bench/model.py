"""What a benchmark measures and what it must reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much data a run has."""

    leads: int
    events: int

    def __str__(self) -> str:
        return f"{self.leads:,} leads, {self.events:,} events"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One measurement beside the bare work it is compared with.

    ``bar`` is what ``value`` must not exceed (must reach, if ``at_least``); ``value`` is the ratio unless ``unit`` says
    otherwise. ``rss_mb`` is the peak memory of the measured process.
    """

    name: str
    size: str
    seconds: float
    bare_seconds: float | None
    rss_mb: float | None
    value: float
    unit: str
    bar: float | None
    at_least: bool = False
    rss_bar_mb: float | None = None
    note: str = ""

    @property
    def held(self) -> bool:
        """Whether every bar was held."""
        fast = self.bar is None or (self.value >= self.bar if self.at_least else self.value <= self.bar)
        small = self.rss_bar_mb is None or self.rss_mb is None or self.rss_mb <= self.rss_bar_mb
        return fast and small


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A row of the table: a name, what it does, and the function that measures it at one size."""

    name: str
    summary: str
    run: Callable[[Size, Place], Iterator[Measured]]
    sized: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a benchmark may work; ``quick`` asks for fewer repeats."""

    folder: Path
    quick: bool = False
    made: dict[str, Path] = field(default_factory=dict)

    def once(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder ``key``, filled by ``make`` the first time."""
        if key not in self.made:
            path = self.folder / key
            path.mkdir(parents=True)
            make(path)
            self.made[key] = path
        return self.made[key]
