"""What can be asked of processes and journeys; the only modules here that read or write the workspace."""

from sfactl.processes.usecases.conformance import cases, conformance, deviations, variants
from sfactl.processes.usecases.explaining import explain
from sfactl.processes.usecases.importing import Form, import_log
from sfactl.processes.usecases.listing import check, list_processes

__all__ = [
    "Form",
    "cases",
    "check",
    "conformance",
    "deviations",
    "explain",
    "import_log",
    "list_processes",
    "variants",
]
