"""What can be done to bring rules to another workspace. The only modules of this package that touch one."""

from sfactl.transfer.usecases.archiving import export_rules, import_rules
from sfactl.transfer.usecases.patching import apply_patch, differences

__all__ = ["apply_patch", "differences", "export_rules", "import_rules"]
