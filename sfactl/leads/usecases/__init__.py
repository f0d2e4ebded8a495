"""What can be done with leads: import, pull, show, set and clean. The only module of the slice that opens the workspace."""

from sfactl.leads.usecases.imports import import_files

__all__ = [
    "import_files",
]
