"""What can be done with segments. The only modules of this slice that touch the workspace."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sfactl.segments.usecases.build import build

if TYPE_CHECKING:
    from sfactl.segments.usecases.admitting import why_not
    from sfactl.segments.usecases.look import check, explain, list_segments, members, size
    from sfactl.segments.usecases.past import computed_members, diff

__all__ = ["build", "check", "computed_members", "diff", "explain", "list_segments", "members", "size", "why_not"]


_HOMES = {"computed_members": "past", "diff": "past", "why_not": "admitting"}


def __getattr__(name: str) -> Any:
    # Late: a build whose statement was kept does not need the parser.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{_HOMES.get(name, 'look')}")
    return getattr(home, name)
