"""The plugins that ship inside sfactl. They are named here, imported like any other, and cannot be replaced."""

from __future__ import annotations

BUILTIN = {
    "leads": "sfactl.leads.plugin",
    "scoring": "sfactl.scoring.plugin",
    "campaigns": "sfactl.campaigns.plugin",
    "feedback": "sfactl.feedback.plugin",
    "orders": "sfactl.orders.plugin",
    "portrait": "sfactl.portrait.plugin",
}
"""Plugin name → module, imported when offers are first asked for."""

DISTRIBUTION = "sfactl"
