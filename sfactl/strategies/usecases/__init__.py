"""What can be done with strategies."""

from sfactl.strategies.usecases.applying import apply, resume
from sfactl.strategies.usecases.plans import approve, difference, plan

__all__ = ["apply", "approve", "difference", "plan", "resume"]
