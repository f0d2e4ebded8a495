"""What can be asked of processes and journeys; the only modules here that read or write the workspace."""

from sfactl.processes.usecases.case_library import add_case, list_cases, show_case, use_case
from sfactl.processes.usecases.conformance import cases, conformance, deviations, variants
from sfactl.processes.usecases.explaining import explain
from sfactl.processes.usecases.importing import Form, import_log
from sfactl.processes.usecases.journeying import (
    check_journeys,
    customer,
    customers,
    list_journeys,
    run,
    status,
)
from sfactl.processes.usecases.listing import check, define, list_processes
from sfactl.processes.usecases.service_gaps import service_gaps

__all__ = [
    "Form",
    "add_case",
    "cases",
    "check",
    "check_journeys",
    "conformance",
    "customer",
    "customers",
    "define",
    "deviations",
    "explain",
    "import_log",
    "list_cases",
    "list_journeys",
    "list_processes",
    "run",
    "service_gaps",
    "show_case",
    "status",
    "use_case",
    "variants",
]
