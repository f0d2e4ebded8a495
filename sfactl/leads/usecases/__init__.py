"""What can be done with leads: import, pull, show, set, clean. Nothing else in the slice opens the workspace."""

from sfactl.leads.usecases.imports import import_files
from sfactl.leads.usecases.pulls import check_sources, list_sources, pull
from sfactl.leads.usecases.records import clean_leads, list_leads, set_fields, show_lead
from sfactl.leads.usecases.touches import import_touches

__all__ = [
    "check_sources",
    "clean_leads",
    "import_files",
    "import_touches",
    "list_leads",
    "list_sources",
    "pull",
    "set_fields",
    "show_lead",
]
