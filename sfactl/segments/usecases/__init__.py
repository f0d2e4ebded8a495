"""What can be done with segments. The only modules of this slice that touch the workspace."""

from typing import TYPE_CHECKING, Any

from sfactl.segments.usecases.build import build

if TYPE_CHECKING:
    from sfactl.segments.usecases.look import check, diff, explain, list_segments, members, size

__all__ = ["build", "check", "diff", "explain", "list_segments", "members", "size"]


def __getattr__(name: str) -> Any:
    # Late: a build whose statement was kept does not need the parser.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sfactl.segments.usecases import look

    return getattr(look, name)
