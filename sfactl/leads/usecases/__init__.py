"""What can be done with leads: import, pull, show, set and clean. Nothing else in the slice opens the workspace.

Each use case is imported when it is first asked for, so that showing one lead does not pay for reading spreadsheets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfactl.leads.usecases.costs import import_costs, import_rates
    from sfactl.leads.usecases.enrich import enrich_leads
    from sfactl.leads.usecases.imports import import_files
    from sfactl.leads.usecases.linking import make_links
    from sfactl.leads.usecases.lookup import list_leads, show_lead
    from sfactl.leads.usecases.orders import import_orders
    from sfactl.leads.usecases.pulls import pull
    from sfactl.leads.usecases.records import clean_leads, set_fields
    from sfactl.leads.usecases.referrals import link_referrers
    from sfactl.leads.usecases.sources import check_sources, list_sources, new_source, reset_source, show_source
    from sfactl.leads.usecases.touches import import_touches
    from sfactl.leads.usecases.weblogs import import_logs

_HOMES = {
    "check_sources": "sources",
    "clean_leads": "records",
    "enrich_leads": "enrich",
    "import_costs": "costs",
    "import_files": "imports",
    "import_logs": "weblogs",
    "import_orders": "orders",
    "import_rates": "costs",
    "import_touches": "touches",
    "link_referrers": "referrals",
    "list_leads": "lookup",
    "list_sources": "sources",
    "make_links": "linking",
    "new_source": "sources",
    "pull": "pulls",
    "reset_source": "sources",
    "set_fields": "records",
    "show_lead": "lookup",
    "show_source": "sources",
}

__all__ = [
    "check_sources",
    "clean_leads",
    "enrich_leads",
    "import_costs",
    "import_files",
    "import_logs",
    "import_orders",
    "import_rates",
    "import_touches",
    "link_referrers",
    "list_leads",
    "list_sources",
    "make_links",
    "new_source",
    "pull",
    "reset_source",
    "set_fields",
    "show_lead",
    "show_source",
]


def __getattr__(name: str) -> Any:
    """The use case ``name``."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
