"""The life of a lead: which stages there are, and which moves between them are legal.

Pure: it reads no data. It refuses a move that the table of moves does not hold.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from sfactl.api.errors import NotFound, PolicyError, UserError

MOVES: Mapping[str, tuple[str, ...]] = {
    "new": ("mql", "disqualified"),
    "mql": ("sql", "new", "disqualified"),
    "sql": ("converted", "mql", "disqualified"),
    "disqualified": ("new",),
    "converted": (),
}
"""Stage → the stages a lead may go to from there. ``converted`` is reached by `lead convert` alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Leads moved by hand."""

    leads: int
    to: str
    dry_run: bool = False
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCount:
    """Leads in one stage by their record, and by a replay of their history."""

    stage: str
    leads: int
    replayed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """Leads by stage at a commit. ``differing`` are leads whose history tells another stage than their record."""

    commit: int
    stages: tuple[StageCount, ...]
    differing: tuple[int, ...] = ()


def check_move(lead_id: int, old: str, new: str) -> None:
    """Raise `PolicyError` naming the rule unless a lead may go from ``old`` to ``new``."""
    if new not in MOVES:
        near = difflib.get_close_matches(new, MOVES, 1)
        raise UserError(
            f"there is no stage {new!r} of a lead.{f' Did you mean {near[0]!r}?' if near else ''}",
            hint=f"Stages: {', '.join(MOVES)}",
        )
    if new in MOVES.get(old, ()):
        return
    allowed = ", ".join(MOVES.get(old, ()))
    stays = "A converted lead moves no more; it lives on as account, contact and opportunity."
    hint = f"From {old} a lead may go to {allowed}." if allowed else stays
    raise PolicyError(f"lead:{lead_id} is {old} and may not become {new}", hint=hint)


def lead_number(ref: str) -> int | str:
    """``8841``, ``lead:8841`` and ``L-8841`` as a number, an e-mail address as it is. Raises `NotFound`."""
    text = ref.strip()
    for prefix in ("lead:", "L-"):
        text = text.removeprefix(prefix)
    if text.isascii() and text.isdigit():
        return int(text)
    if "@" in text:
        return text.lower()
    raise NotFound(f"{ref!r} is not a lead", hint="Write its number (8841 or lead:8841) or its e-mail address.")
