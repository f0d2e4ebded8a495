"""The plugins that ship inside sfactl. They are named here, imported like any other, and cannot be replaced."""

from __future__ import annotations

import importlib.util

BUILTIN = {
    "leads": "sfactl.leads.plugin",
    "scoring": "sfactl.scoring.plugin",
    "campaigns": "sfactl.campaigns.plugin",
    "orders": "sfactl.orders.plugin",
}
"""Plugin name → module, imported when offers are first asked for."""

DISTRIBUTION = "sfactl"


def is_missing(module: str) -> bool:
    """Whether the built-in ``module`` is not there at all, which is not the same as broken."""
    return importlib.util.find_spec(module) is None
