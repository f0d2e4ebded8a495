"""All that a plugin may import. It imports nothing else of sfactl, and its names are kept by SemVer."""

from sfactl.api.hooks import API_VERSION, hookimpl

__all__ = ["API_VERSION", "hookimpl"]
