"""Decide whether a statement that a person typed only reads datasets.

One SELECT, DESCRIBE, SUMMARIZE or EXPLAIN passes. Everything that writes, changes settings, or reaches files, the
network or the engine's own state is refused before the engine sees it.
"""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from sfactl.api.errors import ConditionError

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query

_READS = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values, exp.Summarize, exp.Describe)
_ROWS = (exp.GenerateSeries, exp.Unnest, exp.Values, exp.Explode)
_STATE = re.compile(
    r"(read|scan|parquet|sniff|glob|query|duckdb|pragma|sqlite|postgres|mysql|iceberg|delta|which|getenv|getvariable"
    r"|current_setting|write_log|nextval|currval|load|install|copy|export|import|http|checkpoint)(_.*)?"
    r"|.*_(scan|query|checkpoint)|(from|get)_substrait.*",
    re.IGNORECASE,
)
_TYPED = (
    "BinderException",
    "CatalogException",
    "ParserException",
    "InvalidInputException",
    "OutOfRangeException",
    "SyntaxException",
    "InvalidTypeException",
    "TypeMismatchException",
    "PermissionException",
    "ConstraintException",
)
# What it cannot parse it logs as a warning and hands over as a command, which is refused below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)
_EXPLAIN = re.compile(r"\s*explain(\s+analyze)?\s+", re.IGNORECASE)


def check_readonly(sql: str, datasets: Collection[str]) -> str:
    """``sql`` without its last semicolon. Raises `ConditionError` unless it only reads ``datasets``."""
    text = sql.strip().rstrip(";").strip()
    if not text:
        raise ConditionError("there is no statement", hint='Example: sfactl sql "select count(*) from leads"')
    prefix = _EXPLAIN.match(text)
    asked = text[prefix.end() :] if prefix else text
    tree = _parsed(asked)
    if not isinstance(tree, _READS):
        raise ConditionError(
            f"{_first_word(asked)} is not a query: only SELECT, DESCRIBE, SUMMARIZE and EXPLAIN are allowed",
            hint="Data is changed by the commands that know its rules, see: sfactl --help",
        )
    for node in tree.walk():
        _check_node(node)
    _check_tables(tree, datasets)
    return text[: len(text) - len(asked)] + _quote_at(asked, tree)


def answer(query: Query, sql: str, *, datasets: Collection[str], data: Path) -> pa.Table:
    """The result of the typed statement ``sql`` over ``datasets``, whose files are all below the folder ``data``.

    The engine's own doors to files and network are closed too. Raises `ConditionError` for a statement that is wrong
    or does more than read.
    """
    text = check_readonly(sql, datasets)
    query.lock(data)
    try:
        return query.table(text)
    except Exception as err:
        if type(err).__name__ not in _TYPED:
            raise
        lines = [line.strip() for line in str(err).splitlines() if line.strip()]
        hint = next((line for line in lines[1:] if line.startswith(("Did", "Cand"))), None)
        raise ConditionError(lines[0], hint=hint) from None


def _parsed(text: str) -> exp.Expr:
    try:
        trees = [t for t in sqlglot.parse(text, read="duckdb") if t is not None]
    except sqlglot.errors.SqlglotError as err:
        errors = getattr(err, "errors", None) or [{}]
        line, column = errors[0].get("line"), errors[0].get("col")
        at = f"line {line}, column {column}: " if line else ""
        raise ConditionError(f"{at}{errors[0].get('description') or str(err).splitlines()[0]}") from None
    if len(trees) != 1:
        raise ConditionError(f"one statement at a time, not {len(trees)}")
    tree = trees[0]
    assert isinstance(tree, exp.Expr)
    return tree


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, (exp.DML, exp.DDL, exp.Command, exp.Into)) and not isinstance(node, (exp.Query, exp.Values)):
        raise ConditionError(f"{_first_word(node.sql('duckdb'))} is not allowed in a query")
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        if _STATE.fullmatch(name):
            raise ConditionError(f"the function {name.lower()} is not allowed: a query reads datasets only")


def _check_tables(tree: exp.Expr, datasets: Collection[str]) -> None:
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in _tables(tree):
        if not isinstance(table.this, exp.Identifier):
            if not isinstance(table.this, _ROWS):
                raise ConditionError(f"{table.this.sql('duckdb').lower()} is not allowed: a query reads datasets only")
        elif table.args.get("db") or table.name.lower() not in {*datasets, *own}:
            name = ".".join(part.name for part in table.parts)
            near = difflib.get_close_matches(name, datasets, 1)
            raise ConditionError(
                f"there is no dataset {name!r}", hint=f"Did you mean {near[0]!r}?" if near else "See: sfactl data list"
            )


def _quote_at(text: str, tree: exp.Expr) -> str:
    """``text`` with the column ``at`` quoted: events have one, and to the engine the bare word is reserved."""
    places = {
        name.meta["start"]
        for name in tree.find_all(exp.Identifier)
        if name.name.lower() == "at" and not name.args.get("quoted") and "start" in name.meta
    }
    for start in sorted(places, reverse=True):
        if text[start : start + 2].lower() == "at":
            text = f'{text[:start]}"{text[start : start + 2]}"{text[start + 2 :]}'
    return text


def _tables(tree: exp.Expr) -> Iterator[exp.Table]:
    yield from tree.find_all(exp.Table)


def _first_word(text: str) -> str:
    return (text.split() or ["?"])[0].upper()
