"""Count things in words."""

from __future__ import annotations


def count(n: int, noun: str) -> str:
    """``1 file``, ``1,204 files``, ``2 strategies``."""
    return f"{n:,} {noun if n == 1 else plural(noun)}"


def plural(noun: str) -> str:
    """The plural of a regular English noun."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")
