"""What can be done with segments. The only modules of this slice that touch the workspace."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sfactl.segments.usecases.build import build

if TYPE_CHECKING:
    from sfactl.segments.usecases.admitting import why_not
    from sfactl.segments.usecases.look import check, diff, explain, list_segments, members, size

__all__ = ["build", "check", "diff", "explain", "list_segments", "members", "size", "why_not"]


def __getattr__(name: str) -> Any:
    # Late: a build whose statement was kept does not need the parser.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{'admitting' if name == 'why_not' else 'look'}")
    return getattr(home, name)
