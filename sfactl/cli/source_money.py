"""``sfactl source import-cost`` and ``import-rates``; registered by the group ``source``."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.lead_lines import imported_lines


def register(group: click.Group) -> None:
    """Add the commands to ``group``."""
    group.add_command(import_cost)
    group.add_command(import_rates)


@click.command("import-cost")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", "--map", "mapping", metavar="NAME", help="A mapping: its name in mappings/, or a file.")
@click.option("--currency", metavar="CODE", help="Currency of all amounts, where the file does not say.")
@click.option("--source", metavar="NAME", help="The source of leads that was paid for.")
@click.option("--channel", metavar="NAME", help="The channel within the source.")
@options.dry_run
@options.output
@pass_app
def import_cost(
    app: App,
    files: tuple[Path, ...],
    *,
    mapping: str | None,
    currency: str | None,
    source: str | None,
    channel: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Import what leads cost from FILES: exports of advertising platforms, bills of trade shows.

    A row needs a day and an amount. The same campaign and days told again replace what was told before, so a file may
    be imported twice and reports may overlap.

    \b
    Example:
      sfactl source import-cost google-may.csv --mapping google-ads-cost
      sfactl source import-cost fairs.csv --channel event --currency TWD
    """
    from sfactl.leads import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.import_costs(session, files, mapping=mapping, currency=currency, source=source, channel=channel)
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)


@click.command("import-rates")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--base", metavar="CODE", help="Currency of which one unit is told [default: the file's, else EUR].")
@options.dry_run
@options.output
@pass_app
def import_rates(app: App, files: tuple[Path, ...], *, base: str | None, dry_run: bool, output: Output) -> None:
    """Import exchange rates from FILES, such as the reference rates of the European Central Bank.

    Either a row a day with a column a currency, or columns for date, currency and rate. Costs are converted at the
    rate of their day.

    \b
    Example:
      sfactl source import-rates eurofxref-hist.csv
    """
    from sfactl.leads import usecases

    result = usecases.import_rates(app.session(dry_run=dry_run), files, base=base)
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)
