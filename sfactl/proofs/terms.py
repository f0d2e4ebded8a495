"""The terms of a condition: what stands between its ands, ors and nots, each with the words people wrote. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from sfactl.engine.conditions.source import Source


def leaves(node: exp.Expr) -> Iterator[exp.Expr]:
    """The terms of ``node`` in the order in which they stand."""
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, exp.And | exp.Or):
            stack += [top.expression, top.this]
        elif isinstance(top, exp.Paren | exp.Not) and not isinstance(top.this, exp.Is | exp.In | exp.Between):
            stack.append(top.this)
        else:
            yield top


def written(source: Source, node: exp.Expr) -> str:
    """The node as people wrote it, in one line."""
    text = source.written(node)
    if isinstance(node, exp.Not) and not text.lower().startswith("not"):
        return node.sql(dialect="duckdb")
    return text
