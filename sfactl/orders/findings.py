"""Collects what a push could not do, each thing once and with the first reason that was given."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfactl.orders.keys import readable
from sfactl.orders.model import Listed


@dataclass(slots=True)
class Findings:
    """Lists by fate: refused, confirm, unknown, postponed, duplicate."""

    lists: dict[str, list[Listed]] = field(default_factory=dict)

    def add(self, fate: str, key: str, order_id: int | None, reason: str) -> None:
        """List ``key`` under ``fate`` unless it is listed already."""
        if not self.has(key):
            row = Listed(key=key, what=readable(key), order_id=order_id, reason=reason)
            self.lists.setdefault(fate, []).append(row)

    def has(self, key: str) -> bool:
        """Whether ``key`` is in any list."""
        return any(row.key == key for rows in self.lists.values() for row in rows)

    def of(self, fate: str) -> tuple[Listed, ...]:
        """The list of one fate."""
        return tuple(self.lists.get(fate, ()))
