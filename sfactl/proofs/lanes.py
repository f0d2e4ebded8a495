"""Put cases into worlds in which none can see another, although a strategy looks at addresses and at reps. Pure.

A strategy's gate compares addresses: two customers of one address count as one. So each case's addresses are made its
own, unless a condition reads them; then cases share a world only where their addresses differ. Rows that belong to no
record (reps, models) are the same for all in a world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sfactl.proofs.fixtures import LEAD, STRIDE
from sfactl.proofs.model import Row, Rows, Trial

ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "leads": ("email", "phone"),
    "messages": ("recipient",),
    "suppressions": ("value",),
}
"""Columns that hold addresses."""

BUCKETS = 16**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A number that a lead must draw by MD5 of ``salt``, rotation and lead: from ``lower`` up to below ``upper``."""

    salt: str
    lower: float
    upper: float

    def fits(self, lead_id: int, rotation: int) -> bool:
        """Whether the lead draws such a number, as the strategy's statements do."""
        digits = hashlib.md5(f"{self.salt}{rotation}.{lead_id}".encode(), usedforsecurity=False).hexdigest()[:6]
        return self.lower <= int(digits, 16) < self.upper


def drawn(trial: Trial, draws: Sequence[Draw], rotation: int, room: int) -> Trial:
    """The trial with numbers such that its lead draws what it must. ``room`` is the number of trials there are."""
    number = trial.number
    while not all(draw.fits(number * STRIDE + LEAD, rotation) for draw in draws):
        number += room
    return trial if number == trial.number else renumbered(trial, number)


def renumbered(trial: Trial, number: int) -> Trial:
    """The trial with all its records moved to the numbers of ``number``."""
    by = (number - trial.number) * STRIDE
    rows = {
        dataset: tuple(
            {name: value + by if _is_number(name, value) else value for name, value in row.items()} for row in own
        )
        for dataset, own in trial.rows.items()
    }
    return replace(trial, number=number, rows=rows)


def lanes(trials: Sequence[Trial], *, apart: bool) -> list[list[Trial]]:
    """The trials in groups that may share a world; with ``apart`` no two in a group have an address in common."""
    groups: dict[str, list[list[Trial]]] = {}
    taken: dict[tuple[str, int], set[str]] = {}
    for trial in trials:
        own = addresses(trial.rows) if apart else set()
        shared = repr(sorted((name, repr(row)) for name, row in _unowned(trial.rows)))
        places = groups.setdefault(shared, [])
        place = next((n for n in range(len(places)) if not own & taken[shared, n]), len(places))
        if place == len(places):
            places.append([])
            taken[shared, place] = set()
        places[place].append(trial)
        taken[shared, place] |= own
    return [group for places in groups.values() for group in places]


def addresses(rows: Rows) -> set[str]:
    """All addresses in ``rows``, in lower case."""
    found = {
        str(row[c]) for name, columns in ADDRESSES.items() for row in rows.get(name, ()) for c in columns if row.get(c)
    }
    return {address.lower() for address in found}


def together(trials: Iterable[Trial], *, apart: bool) -> dict[str, list[Row]]:
    """The rows of a group of trials; unless they are ``apart``, with addresses of their own."""
    rows: dict[str, list[Row]] = {}
    unowned: dict[str, Row] = {}
    for trial in trials:
        for dataset, own in trial.rows.items():
            if not _is_owned(dataset, own):
                unowned |= {f"{dataset} {row!r}": row for row in own}
                continue
            rows.setdefault(dataset, []).extend(
                own if apart else [_with_own(dataset, row, trial.number) for row in own]
            )
    for key, row in unowned.items():
        rows.setdefault(key.split(" ", 1)[0], []).append(row)
    return rows


def _with_own(dataset: str, row: Row, number: int) -> Row:
    columns = ADDRESSES.get(dataset, ())
    changed = {c: _own(str(row[c]), number) for c in columns if row.get(c)}
    return {**row, **changed} if changed else row


def _own(address: str, number: int) -> str:
    return f"{address}{number:09d}" if "@" not in address and address[:1] == "+" else f"c{number}.{address}"


def _unowned(rows: Rows) -> list[tuple[str, Row]]:
    return [(name, row) for name, own in rows.items() if not _is_owned(name, own) for row in own]


def _is_owned(dataset: str, rows: Sequence[Row]) -> bool:
    """Whether the rows belong to records of a case."""
    return dataset == "suppressions" or any(_is_number(name, value) for row in rows for name, value in row.items())


def _is_number(name: str, value: object) -> bool:
    return name.endswith("_id") and isinstance(value, int) and not isinstance(value, bool)
