"""Say which mapping a file was made for, by its headers. It is only said: to apply one is the user's choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sfactl.leads.headers import position
from sfactl.leads.model import LeadMapping

LEAST = 3
MOST_OF = 0.8
"""A mapping that needs few columns fits many files; then most of its others must be there, too."""


def fitting(mappings: Iterable[LeadMapping], columns: Sequence[str]) -> tuple[str, ...]:
    """Names of the mappings of leads that fit the columns best: all that they need is there, and most of the rest."""
    scores: dict[str, int] = {}
    for mapping in mappings:
        if mapping.dataset not in (None, "leads"):
            continue
        needed = [f for f in mapping.columns if f not in mapping.optional]
        there = [f for f, said in mapping.columns.items() if _is_there(said, columns)]
        touch = mapping.touchpoint
        event = [c for f, c in touch.columns.items() if f not in touch.optional] if touch else []
        whole = set(needed) <= set(there) and all(_is_there(c, columns) for c in event)
        decisive = len(needed) + len(event) >= LEAST or len(there) >= MOST_OF * len(mapping.columns)
        if whole and decisive and len(there) >= LEAST:
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
