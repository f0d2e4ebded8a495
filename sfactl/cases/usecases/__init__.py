"""What can be done with cases."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.cases.usecases.changing import change
    from sfactl.cases.usecases.looking import list_cases, show
    from sfactl.cases.usecases.noticing import acknowledge
    from sfactl.cases.usecases.opening import open_case

_HOMES = {
    "acknowledge": "noticing",
    "change": "changing",
    "list_cases": "looking",
    "open_case": "opening",
    "show": "looking",
}

__all__ = ["acknowledge", "change", "list_cases", "open_case", "show"]


def __getattr__(name: str) -> Any:
    """The use case ``name``, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
