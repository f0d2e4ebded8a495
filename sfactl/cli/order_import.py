"""``sfactl order import``: load the history of orders from files; registered by the group ``order``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.lead_lines import imported_lines


def register(group: click.Group) -> None:
    """Add the command to ``group``."""
    group.add_command(import_)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", "--map", "mapping", metavar="NAME", help="A mapping: its name in mappings/, or a file.")
@click.option("--source", metavar="NAME", help="Whose order numbers and customer ids these are; by default 'orders'.")
@click.option("--known-only", is_flag=True, help="Refuse orders of customers who are not among the leads yet.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App,
    files: tuple[Path, ...],
    *,
    mapping: str | None,
    source: str | None,
    known_only: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Import the history of orders from FILES, so that segments, scores and reports can ask about it.

    Rows are lines of orders, or orders. Customers are found by lead_id, customer id or e-mail; others become leads,
    and orders without any customer are kept without one. Orders with a negative sum are refunds. The same file twice
    changes nothing; a corrected one corrects. Nothing of this is ever pushed to an ERP.

    \b
    Example:
      sfactl order import invoices-2026.csv --source shop
      sfactl order import orders.xlsx --mapping marketplace --dry-run
    """
    from sfactl.leads.usecases import import_orders

    session = app.session(dry_run=dry_run)
    result = import_orders(session, files, mapping=mapping, source=source, known_only=known_only)
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)
