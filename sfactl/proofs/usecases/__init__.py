"""What can be done with tests of rules."""

from sfactl.proofs.usecases.running import run

__all__ = ["run"]
