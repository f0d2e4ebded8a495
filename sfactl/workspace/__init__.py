"""The storage engine: Parquet files under one SQLite manifest."""

from sfactl.workspace.ledger import Effect, EffectRow, Lease, Ledger
from sfactl.workspace.transaction import Author, Commit, Transaction
from sfactl.workspace.workspace import Workspace

__all__ = ["Author", "Commit", "Effect", "EffectRow", "Lease", "Ledger", "Transaction", "Workspace"]
