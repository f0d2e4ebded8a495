"""What can be done with the collector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.collect.usecases.checking import check
    from sfactl.collect.usecases.importing import import_spool
    from sfactl.collect.usecases.serving import open_collector, serve

__all__ = ["check", "import_spool", "open_collector", "serve"]
_HOMES = {"check": "checking", "import_spool": "importing", "open_collector": "serving", "serve": "serving"}


def __getattr__(name: str) -> Any:
    """Each use case is imported when it is asked for: serving needs no engine, importing no server."""
    if name not in _HOMES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"sfactl.collect.usecases.{_HOMES[name]}"), name)
