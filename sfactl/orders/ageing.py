"""Buckets of overdue days. Whatever the limits, every number of days falls into exactly one bucket.

Limits 30, 60 make four buckets: not due, 1-30, 31-60, over 60. An item due today is not overdue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from sfactl.api.errors import DataError

STANDARD = "30,60,90,120"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Items overdue by more than ``above`` and at most ``up_to`` days; None means without end."""

    label: str
    above: int | None
    up_to: int | None

    def holds(self, days: int) -> bool:
        """Whether an item overdue by ``days`` belongs here."""
        return (self.above is None or days > self.above) and (self.up_to is None or days <= self.up_to)


def parse_buckets(text: str) -> tuple[Bucket, ...]:
    """Buckets for limits such as ``30,60,90``. Raises `DataError` for limits that do not rise."""
    try:
        limits = [int(part) for part in text.split(",")]
    except ValueError:
        raise DataError(f"--buckets {text}: write whole days, such as 30,60,90") from None
    if not limits or limits[0] < 1 or any(a >= b for a, b in pairwise(limits)):
        raise DataError(f"--buckets {text}: the days must rise from 1 on, such as 30,60,90")
    return (
        Bucket(label="not due", above=None, up_to=0),
        *(Bucket(label=f"{a + 1}-{b}", above=a, up_to=b) for a, b in zip([0, *limits], limits, strict=False)),
        Bucket(label=f"over {limits[-1]}", above=limits[-1], up_to=None),
    )


def age_sql(buckets: Sequence[Bucket]) -> str:
    """SQL columns that sum ``open_amount`` by ``days_overdue``, one a bucket. Only whole numbers go into the text."""
    columns = []
    for bucket in buckets:
        terms = [f"days_overdue > {bucket.above}"] if bucket.above is not None else []
        terms += [f"days_overdue <= {bucket.up_to}"] if bucket.up_to is not None else []
        columns.append(
            f"cast(coalesce(sum(open_amount) filter (where {' and '.join(terms)}), 0) as decimal(18,4)) "
            f'as "{bucket.label}"'
        )
    return ",\n       ".join(columns)


def parse_date(text: str, option: str) -> date:
    """A date given as an option. Raises `DataError`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{option} {text}: write a date as YYYY-MM-DD") from None
