"""A made-up market, seeded and of any size: hidden propensities drive what people do and what becomes of them."""

from sfactl.demo.world.build import Tables, made
from sfactl.demo.world.model import World

__all__ = ["Tables", "World", "made"]
