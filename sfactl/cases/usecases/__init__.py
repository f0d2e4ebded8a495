"""What can be done with cases."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.cases.usecases.changing import change
    from sfactl.cases.usecases.checking import check
    from sfactl.cases.usecases.importing import import_cases
    from sfactl.cases.usecases.looking import list_cases, show
    from sfactl.cases.usecases.mailing import fetch_case_mail, read_case_mail
    from sfactl.cases.usecases.noticing import acknowledge
    from sfactl.cases.usecases.opening import open_case
    from sfactl.cases.usecases.posting import open_posted

_HOMES = {
    "acknowledge": "noticing",
    "change": "changing",
    "check": "checking",
    "fetch_case_mail": "mailing",
    "import_cases": "importing",
    "list_cases": "looking",
    "open_case": "opening",
    "open_posted": "posting",
    "read_case_mail": "mailing",
    "show": "looking",
}

__all__ = [
    "acknowledge",
    "change",
    "check",
    "fetch_case_mail",
    "import_cases",
    "list_cases",
    "open_case",
    "open_posted",
    "read_case_mail",
    "show",
]


def __getattr__(name: str) -> Any:
    """The use case ``name``, imported when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
