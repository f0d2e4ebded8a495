"""Prove that conditions cannot hold together. What is called impossible is proven; what is not proven is left open."""

from sfactl.engine.reasoning.proof import Claim, Prover, Reason

__all__ = ["Claim", "Prover", "Reason"]
