"""The storage engine: Parquet files under one SQLite manifest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.workspace.ledger import Effect, EffectRow, Lease, Ledger
    from sfactl.workspace.transaction import Author, Commit, Transaction
    from sfactl.workspace.workspace import Workspace

_HOMES = {
    "Author": "transaction",
    "Commit": "transaction",
    "Effect": "ledger",
    "EffectRow": "ledger",
    "Lease": "ledger",
    "Ledger": "ledger",
    "Transaction": "transaction",
    "Workspace": "workspace",
}

__all__ = ["Author", "Commit", "Effect", "EffectRow", "Lease", "Ledger", "Transaction", "Workspace"]


def __getattr__(name: str) -> Any:
    """The class ``name``; late, so that reading one row does not pay for writing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
