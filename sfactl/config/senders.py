"""What ``senders/NAME.toml`` says beside the settings of its plugin: how fast the sender may be used.

It decides the keys and their defaults, and refuses paces that cannot be kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sfactl.config.objects import build

MOST_CONNECTIONS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPace:
    """How fast a sender may be used. ``connections`` are open at once; each has up to 20 messages on its way."""

    connections: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not 1 <= self.connections <= MOST_CONNECTIONS:
            raise ValueError(f"connections: {self.connections} is not a number from 1 to {MOST_CONNECTIONS}")


PACE_KEYS = frozenset(f.name for f in dataclasses.fields(SenderPace))
"""Keys of a sender's file that are the core's and never reach its plugin."""


def sender_pace(table: Mapping[str, Any], *, where: str) -> SenderPace:
    """The pace in a sender's file, which ``where`` names. Raises `ConfigError`."""
    return build(SenderPace, {k: v for k, v in table.items() if k in PACE_KEYS}, where=where)
