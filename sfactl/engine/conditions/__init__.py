"""The one condition language of segments, scores, strategies, routing and forms: SQL text in, one safe statement out.

Names and types are checked against the schemas, every literal is a bound parameter, and only listed functions exist.
"""

from typing import TYPE_CHECKING, Any

from sfactl.engine.conditions.model import Compiled, CompiledMany, Condition

if TYPE_CHECKING:
    from sfactl.engine.conditions.compile import compile_condition, compile_many

__all__ = ["Compiled", "CompiledMany", "Condition", "compile_condition", "compile_many"]


def __getattr__(name: str) -> Any:
    # Late: a statement that was compiled before does not need the parser.
    if name not in {"compile_condition", "compile_many"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sfactl.engine.conditions import compile as compiler

    return getattr(compiler, name)
