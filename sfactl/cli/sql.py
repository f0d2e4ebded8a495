"""``sfactl sql``: a typed query over every dataset. What it may ask is decided in `engine.readonly`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sfactl.api.errors import UserError
from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


@click.command("sql")
@click.argument("statement")
@options.as_of
@options.output
@pass_app
def group(app: App, statement: str, *, as_of: str | None, output: Output) -> None:
    """Query every dataset with one SELECT; nothing can be changed by it.

    STATEMENT is the text, @FILE to read it from a file, or - to read it from stdin. Times are in UTC.

    \b
    Example:
      sfactl sql "select status, count(*) from leads group by all"
      sfactl sql @funnel.sql --as-of 2026-09-30 --format csv
    """
    text = _text(statement)
    from sfactl.engine.readonly import answer

    session = app.session(as_of=as_of)
    with session.query() as query:
        data = session.workspace.private / "data"
        table = answer(query, text, datasets=tuple(session.workspace.schemas), data=data)
    # A plan is a drawing; in a table it would be torn.
    drawn = table.column_names == ["explain_key", "explain_value"]
    output.emit(table, human=(lambda: table.column("explain_value").to_pylist()) if drawn else None)


def _text(statement: str) -> str:
    if statement == "-":
        return sys.stdin.read()
    if not statement.startswith("@"):
        return statement
    path = Path(statement[1:])
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise UserError(f"{path}: cannot be read ({getattr(err, 'strerror', None) or err})") from None
