"""The keys of a source file that says ``use = "singer"``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Which tap to run, and which of its streams holds the leads.

    ``config`` and ``catalog`` are JSON files (paths are relative to the workspace), handed to the tap as they are.
    ``secrets`` adds keys to the config whose values are references (``env:NAME`` or ``file:PATH``). ``stream`` may be
    left out for a tap with a single stream. ``page_rows`` is how many records are committed together at least. A tap
    that says nothing for ``silent_s`` seconds is ended (0: never).
    """

    command: tuple[str, ...]
    stream: str = ""
    config: str = ""
    catalog: str = ""
    catalog_flag: Literal["--catalog", "--properties"] = "--catalog"
    secrets: Mapping[str, str] = field(default_factory=dict)
    page_rows: int = 1000
    silent_s: float = 900.0

    def __post_init__(self) -> None:
        """Refuse a command that is empty and a page without rows."""
        if not self.command:
            raise ValueError("command: name the tap's program, for instance ['tap-github']")
        if self.page_rows < 1:
            raise ValueError(f"page_rows: {self.page_rows} is less than 1")
        if self.silent_s < 0:
            raise ValueError(f"silent_s: {self.silent_s} is less than 0")
