"""Parse the text of one condition with sqlglot and keep its positions, so that every error can point at its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token

from sfactl.api.errors import ConditionError

DIALECT = "duckdb"
LONGEST = 20_000
"""A longer text is refused: people do not write it, and parsing nests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A condition's text and the place it comes from."""

    text: str
    where: str = ""

    def parse(self) -> exp.Expression:
        """The syntax tree, which belongs to all who ask for the same text: whoever changes it takes a copy.

        Raises `ConditionError` with the position of what does not parse.
        """
        if not self.text.strip():
            raise self.error("the condition is empty", at=0)
        if len(self.text) > LONGEST:
            raise self.error(f"the condition is longer than {LONGEST} characters", at=LONGEST)
        try:
            tree = _tree(self.text)
        except ParseError as err:
            raise self._parse_error(err) from None
        except TokenError:
            raise self.error("a quote is not closed", at=self._open_quote()) from None
        except RecursionError:
            raise self.error("the condition is nested too deeply", at=0) from None
        if not isinstance(tree, exp.Expression):
            raise self.error("this is not a condition", at=0)
        return tree

    def error(self, message: str, *, node: exp.Expr | None = None, at: int | None = None) -> ConditionError:
        """The error ``message`` at a node or a 0-based offset."""
        offset = self.start(node) if node is not None else at
        place = "" if offset is None else f"position {offset + 1}"
        head = ", ".join(part for part in (self.where, place) if part)
        return ConditionError(f"{head}: {message}" if head else message)

    def start(self, node: exp.Expr) -> int:
        """The 0-based offset of the first character of ``node``."""
        starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        return min(starts, default=len(self.text) - len(self.text.lstrip()))

    def slice(self, node: exp.Expr) -> str:
        """The node as people wrote it, in one line. Falls back to sqlglot's writing where positions are lost."""
        spans = [n.meta for n in node.walk() if "start" in n.meta]
        if isinstance(node, exp.Column | exp.Literal) and spans:
            first, last = min(m["start"] for m in spans), max(m["end"] for m in spans)
            return " ".join(self.text[first : last + 1].split())
        return node.sql(dialect=DIALECT)

    def written(self, node: exp.Expr) -> str:
        """The node from its first character to its last, closing brackets included, in one line."""
        spans = [n.meta for n in node.walk() if "start" in n.meta]
        if not spans:
            return node.sql(dialect=DIALECT)
        first, last = min(m["start"] for m in spans), max(m["end"] for m in spans) + 1
        for token in tokens(self.text):
            if token.start >= last:
                opened = self.text.count("(", first, last) - self.text.count(")", first, last)
                if opened <= 0 or token.text != ")":
                    break
                last = token.end + 1
        return " ".join(self.text[first:last].split())

    def _parse_error(self, err: ParseError) -> ConditionError:
        if not err.errors:
            return self.error("the condition is empty", at=0)
        first = err.errors[0]
        lines = self.text.split("\n")
        line, column = int(first.get("line") or 1), int(first.get("col") or 1)
        end = sum(len(text) + 1 for text in lines[: line - 1]) + column
        found = str(first.get("highlight") or "")
        description = str(first.get("description") or "")
        return self.error(_plain(description, found), at=max(0, end - max(1, len(found))))

    def _open_quote(self) -> int:
        quote, opened = "", 0
        for offset, char in enumerate(self.text):
            if not quote and char in "'\"":
                quote, opened = char, offset
            elif char == quote:
                quote = ""
        return opened if quote else 0


@lru_cache(maxsize=1024)
def _tree(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect=DIALECT, into=exp.Condition)


def tokens(text: str) -> list[Token]:
    """The tokens of ``text``."""
    return sqlglot.tokenize(text, read=DIALECT)


def operands(node: exp.Expr, kind: type[exp.Connector]) -> Iterator[exp.Expr]:
    """The operands of a chain of AND or OR, in order and without recursion: chains may be long."""
    stack = [node]
    while stack:
        top = stack.pop()
        if isinstance(top, kind):
            stack += [top.expression, top.this]
        else:
            yield top


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean "x"?``, or nothing where no name is near."""
    near = difflib.get_close_matches(name.lower(), list(known), 1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _plain(description: str, found: str) -> str:
    if description.startswith("Required keyword"):
        return f"something is missing beside {found!r}"
    if description.startswith("Expecting )"):
        return "a bracket is not closed"
    if description.startswith("The number of provided arguments"):
        return "too many arguments"
    return f"{found!r} does not belong here" if found else "the condition does not parse"
