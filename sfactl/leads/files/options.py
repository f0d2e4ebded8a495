"""How a mapping may describe its file, for what cannot be seen from the file itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sfactl.engine.duck import Query
from sfactl.leads.files.dialect import Recognise

DayMonth = Literal["dmy", "mdy", "ymd", "ydm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """The table ``[file]`` of a mapping. What is not stated is detected, and told.

    ``header_row`` is a line (or sheet row) from 1; ``header = false`` says that there is none, then ``names`` are the
    columns. ``skip`` leaves out so many lines at the top. ``day_month_order`` settles dates like 03/04/2026.
    ``time_zone`` is the zone of times without one; the workspace's by default.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | None = None
    header_row: int | None = None
    names: tuple[str, ...] = ()
    skip: int = 0
    sheet: str | int | None = None
    day_month_order: DayMonth | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        if self.header_row is not None and (self.header is False or self.header_row < 1):
            raise ValueError("header_row is a row from 1, and not together with header = false")
        if self.skip < 0:
            raise ValueError("skip is a number of lines")
        for key in ("delimiter", "quote", "escape"):
            if getattr(self, key) == "":
                raise ValueError(f"{key} may not be empty")

    @property
    def headless(self) -> bool:
        """Does the mapping say that there is no header row?"""
        return self.header is False or (bool(self.names) and self.header is None and self.header_row is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader works with: the file, what is stated about it, where to stage it, and how to know a header.

    ``where`` names the mapping in messages; ``wanted`` counts the mapping's columns in a row, ``known`` the headers of
    the synonym table.
    """

    path: Path
    into: Path
    options: FileOptions
    query: Query
    known: Recognise
    wanted: Recognise | None = None
    where: str = "mapping"
    scratch: Path = field(default_factory=Path)

    @property
    def file(self) -> str:
        """The file's name, for messages."""
        return self.path.name


Reader = Callable[[Reading], "object"]
