"""What can be asked of processes and journeys; the only modules here that read or write the workspace."""

from sfactl.processes.usecases.conformance import cases, conformance, deviations, variants
from sfactl.processes.usecases.explaining import explain
from sfactl.processes.usecases.listing import check, list_processes

__all__ = ["cases", "check", "conformance", "deviations", "explain", "list_processes", "variants"]
