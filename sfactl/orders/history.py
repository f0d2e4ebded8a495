"""What the ledger remembers of earlier pushes, and what follows from it for this one.

A refusal stands until the content changes, a person asks to try again, or the person who was asked to confirm has done
so; then the same work is a new effect.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from sfactl.orders.model import Work

CONFIRM = "confirm: "
"""How the detail of a refusal begins that only asks for a person's confirmation."""


class Entry(Protocol):
    """A row of the ledger, as far as it matters here."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def detail(self) -> str: ...
    @property
    def payload_hash(self) -> str: ...
    @property
    def not_before(self) -> datetime | None: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...


def task_id(effect_key: str) -> str:
    """The task that asks a person about an effect."""
    return f"erp:{effect_key}"


class History:
    """Answers how often a piece of work was tried, and whether it may be tried now."""

    def __init__(
        self, entries: Sequence[Entry], *, confirmed: Collection[str], again: Collection[str], now: datetime
    ) -> None:
        self._confirmed = confirmed
        self._again = again
        self._now = now
        self._by_key = {e.key: e for e in entries}
        self._tries: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            self._tries[entry.meta["our_key"], entry.meta["verb"]].append(entry)

    def numbered(self, work: Work) -> Work:
        """``work`` with the number of its attempt: the last one's, or the next where a refusal was lifted."""
        tries = [e for e in self._tries[work.our_key, work.verb] if _same(e, work)]
        if not tries:
            return work
        last = max(tries, key=lambda e: int(e.meta.get("attempt", 0)))
        number = int(last.meta.get("attempt", 0))
        return replace(work, attempt=number + 1 if self._lifted(last) else number)

    def closed(self, work: Work) -> Entry | None:
        """The row that stands against doing ``work`` now, or None."""
        entry = self._by_key.get(work.effect_key)
        if entry is None or (entry.state == "planned" and (entry.not_before or self._now) <= self._now):
            return None
        return entry

    def _lifted(self, entry: Entry) -> bool:
        if entry.state != "refused":
            return False
        return entry.meta["our_key"] in self._again or (
            entry.detail.startswith(CONFIRM) and task_id(entry.key) in self._confirmed
        )


def _same(entry: Entry, work: Work) -> bool:
    if work.verb in {"order", "cancel"}:
        return True
    return entry.payload_hash == work.payload_hash and entry.meta.get("since", "") == work.since
