"""What `sfactl strategy simulate` does."""

from sfactl.simulation.usecases.simulate import Asked, people, simulate

__all__ = ["Asked", "people", "simulate"]
