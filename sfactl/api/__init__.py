"""All that a plugin may import. It imports nothing else of sfactl, and its names are kept by SemVer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.api.hooks import API_VERSION, hookimpl

__all__ = ["API_VERSION", "hookimpl"]


def __getattr__(name: str) -> Any:
    """A name of the hooks: late, so that whoever wants only the errors does not pay for every offer."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sfactl.api import hooks

    return getattr(hooks, name)
