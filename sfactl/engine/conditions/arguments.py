"""Take the arguments of a function call apart and say what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from sfactl.engine.conditions.kinds import DATE, TEXT, TIME
from sfactl.engine.conditions.typed import Typed

if TYPE_CHECKING:
    from sfactl.engine.conditions.expressions import Checker


def arguments(checker: Checker, node: exp.Expr, least: int, most: int) -> list[exp.Expr]:
    """The arguments of a call by name, which must be between ``least`` and ``most``."""
    found = list(node.expressions)
    if least <= len(found) <= most:
        return found
    wanted = str(least) if least == most else f"{least} to {most}"
    name = str(node.this).lower()
    raise checker.source.error(
        f"{name}() takes {wanted} argument{'' if wanted == '1' else 's'}, not {len(found)}", node=node
    )


def text(checker: Checker, node: exp.Expr, what: str) -> Typed:
    """The node as text, as needed for ``what``."""
    found = checker.value(node)
    if found.kind != TEXT:
        raise checker.source.error(
            f"{what} needs text, but {checker.source.slice(node)} is {found.kind.phrase}", node=node
        )
    return found


def moment(checker: Checker, node: exp.Expr, what: str) -> Typed:
    """The node as a date or a time, as needed for ``what``."""
    found = checker.value(node)
    if found.kind not in (DATE, TIME):
        raise checker.source.error(
            f"{what} needs a date or a time, but {checker.source.slice(node)} is {found.kind.phrase}", node=node
        )
    return found
