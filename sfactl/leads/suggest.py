"""Say which mapping a file was made for, by its headers. It is only said: to apply one is the user's choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sfactl.leads.headers import position
from sfactl.leads.model import LeadMapping

LEAST = 3
"""A mapping that fewer columns decide on fits too much."""


def fitting(mappings: Iterable[LeadMapping], columns: Sequence[str]) -> tuple[str, ...]:
    """Names of the mappings of leads that fit the columns best: all that they need is there, and most of the rest."""
    scores: dict[str, int] = {}
    for mapping in mappings:
        if mapping.dataset not in (None, "leads"):
            continue
        needed = [f for f in mapping.columns if f not in mapping.optional]
        there = [f for f, said in mapping.columns.items() if _is_there(said, columns)]
        if set(needed) <= set(there) and len(there) >= LEAST:
            scores[mapping.name] = len(there)
    most = max(scores.values(), default=0)
    return tuple(sorted(n for n, score in scores.items() if score == most))


def _is_there(said: str | tuple[str, ...], columns: Sequence[str]) -> bool:
    names = (said,) if isinstance(said, str) else said
    return all(position(n, columns) is not None for n in names)


def said(names: Sequence[str]) -> tuple[str, ...]:
    """The note about fitting mappings."""
    if not names:
        return ()
    if len(names) == 1:
        return (f"the mapping {names[0]!r} is for columns like these; to use it: --mapping {names[0]}",)
    return (f"several mappings fit these columns: {', '.join(names)}; choose one with --mapping",)
