"""What a statement's text says: the names in it, its parameters, what it makes, and its parsed form. Kept for texts
that come again, as those of a walk do; it looks at no catalog.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

MOST = 1024
"""So many texts are remembered, the last used ones."""
LONGEST = 50_000
"""Longer ones are parsed each time: they hardly come again."""

_parsed: dict[str, Any] = {}
_keeping = threading.Lock()


@lru_cache(maxsize=MOST)
def words(sql: str) -> frozenset[str]:
    """Everything in the text that could be the name of a dataset."""
    return frozenset(re.findall(r"[a-z_][a-z0-9_]*", sql.lower()))


@lru_cache(maxsize=MOST)
def parameters(sql: str) -> frozenset[str]:
    """The names behind a dollar sign."""
    return frozenset(re.findall(r"\$(\w+)", sql))


@lru_cache(maxsize=MOST)
def made(sql: str) -> tuple[str, ...]:
    """The tables and views that the text makes, in lower case."""
    found = re.findall(r"\b(?:table|view)\s+(?:if\s+not\s+exists\s+)?([a-z_][a-z0-9_]*)\s+as\b", sql, re.I)
    return tuple(name.lower() for name in found)


def parsed(connection: Any, sql: str) -> Any:
    """The statement in a form that ``connection`` runs without reading the text again; the text where it is several."""
    if len(sql) > LONGEST:
        return sql
    found = _parsed.get(sql)
    if found is None:
        statements = connection.extract_statements(sql)
        found = statements[0] if len(statements) == 1 else sql
        with _keeping:
            _parsed[sql] = found
            while len(_parsed) > MOST:
                del _parsed[next(iter(_parsed))]
    return found
