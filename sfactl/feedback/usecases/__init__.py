"""What can be done with what came back."""

from sfactl.feedback.usecases.bounces import BounceResult, ReasonCount, read_bounces

__all__ = ["BounceResult", "ReasonCount", "read_bounces"]
