"""What can be done with segments. The only modules of this slice that touch the workspace."""

from sfactl.segments.usecases.build import build
from sfactl.segments.usecases.look import check, diff, explain, list_segments, members, size

__all__ = ["build", "check", "diff", "explain", "list_segments", "members", "size"]
