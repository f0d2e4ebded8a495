"""What can be asked about writing to a person."""

from sfactl.reach.usecases.why import WhyResult, why

__all__ = ["WhyResult", "why"]
