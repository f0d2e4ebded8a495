"""What can be done about runs: do what is due, and look at what was and will be done."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.runs.usecases.due import run_due
    from sfactl.runs.usecases.looking import due_now, list_jobs, log, next_slots, savings, show

_HOMES = {
    "due_now": "looking",
    "list_jobs": "looking",
    "log": "looking",
    "next_slots": "looking",
    "run_due": "due",
    "savings": "looking",
    "show": "looking",
}

__all__ = ["due_now", "list_jobs", "log", "next_slots", "run_due", "savings", "show"]


def __getattr__(name: str) -> Any:
    """The use case ``name``, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
