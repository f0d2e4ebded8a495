"""The one condition language of segments, scores, strategies, routing and forms: SQL text in, one safe statement out.

Names and types are checked against the schemas, every literal is a bound parameter, and only listed functions exist.
"""

from sfactl.engine.conditions.compile import compile_condition, compile_many
from sfactl.engine.conditions.model import Compiled, CompiledMany, Condition

__all__ = ["Compiled", "CompiledMany", "Condition", "compile_condition", "compile_many"]
