"""What can be done with reps and what they own: keep them, deal leads, watch first responses, run the public pool.

Each use case is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.reps.usecases.owners import explain, give
    from sfactl.reps.usecases.people import absences, add, away, back, change, import_reps, list_reps
    from sfactl.reps.usecases.pool import (
        check_pool,
        claim,
        collisions,
        due,
        list_pool,
        recycle,
        release,
        wake,
    )
    from sfactl.reps.usecases.promises import pass_on, sla, unhandled
    from sfactl.reps.usecases.rounds import apply, check, plan, planned_owners, queue, run

STAGES = ("sql",)
"""Stages whose leads are given out unless the file or the command names others."""

_HOMES = {
    "absences": "people",
    "add": "people",
    "apply": "rounds",
    "away": "people",
    "back": "people",
    "change": "people",
    "check": "rounds",
    "check_pool": "pool",
    "claim": "pool",
    "collisions": "pool",
    "due": "pool",
    "explain": "owners",
    "give": "owners",
    "import_reps": "people",
    "list_pool": "pool",
    "list_reps": "people",
    "pass_on": "promises",
    "plan": "rounds",
    "planned_owners": "rounds",
    "queue": "rounds",
    "recycle": "pool",
    "release": "pool",
    "run": "rounds",
    "sla": "promises",
    "unhandled": "promises",
    "wake": "pool",
}

__all__ = [
    "STAGES",
    "absences",
    "add",
    "apply",
    "away",
    "back",
    "change",
    "check",
    "check_pool",
    "claim",
    "collisions",
    "due",
    "explain",
    "give",
    "import_reps",
    "list_pool",
    "list_reps",
    "pass_on",
    "plan",
    "planned_owners",
    "queue",
    "recycle",
    "release",
    "run",
    "sla",
    "unhandled",
    "wake",
]


def __getattr__(name: str) -> Any:
    """The use case ``name``."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
