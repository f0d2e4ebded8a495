"""``sfactl product``: what is sold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.quotes.model import ProductImport, ProductView


@click.group()
def group() -> None:
    """Products: what may stand on a quote. A product is known by its article number (sku)."""


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--encoding", default="utf-8", show_default=True, metavar="NAME", help="Encoding of the file.")
@click.option("--delimiter", default="", metavar="CHAR", help="Delimiter, where the header leaves it open.")
@click.option("--decimal-comma", is_flag=True, help="Numbers are written 1.234,50.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App, file: Path, *, encoding: str, delimiter: str, decimal_comma: bool, dry_run: bool, output: Output
) -> None:
    """Import products from FILE, a CSV file with a column sku.

    Other columns: name, family, unit, active, cost, currency, description. A column that the file lacks keeps the value
    it has; an empty cell clears it.

    \b
    Example:
      sfactl product import products.csv
    """
    from sfactl.quotes import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.import_products(session, file, encoding=encoding, delimiter=delimiter, decimal_comma=decimal_comma)
    output.emit(done, human=lambda: _imported(done), exit_code=3 if done.rejected else 0)


@group.command("list")
@click.option("--family", metavar="NAME", help="Only this family.")
@click.option("--inactive", is_flag=True, help="Also what is not sold any more.")
@options.output
@pass_app
def list_(app: App, *, family: str | None, inactive: bool, output: Output) -> None:
    """List products.

    \b
    Example:
      sfactl product list --family lasers
    """
    from sfactl.quotes import usecases

    output.emit(usecases.list_products(app.session(), family=family, inactive=inactive))


@group.command("show")
@click.argument("sku")
@options.output
@pass_app
def show(app: App, sku: str, *, output: Output) -> None:
    """Show the product SKU and what it costs today.

    \b
    Example:
      sfactl product show LX-300
    """
    from sfactl.quotes import usecases

    view = usecases.show_product(app.session(), sku)
    output.emit(view, human=lambda: _shown(view))


def _imported(done: ProductImport) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield (
        f"{done.file}: {done.rows:,} rows · {done.new:,} new · {done.updated:,} updated · "
        f"{done.unchanged:,} unchanged · {len(done.rejected):,} rejected"
    )
    if done.ignored_columns:
        yield f"  Not taken: {', '.join(done.ignored_columns)}"
    for bad in done.rejected[:20]:
        yield f"  row {bad.row}: {bad.reason}"
    if len(done.rejected) > 20:
        yield f"  … and {len(done.rejected) - 20} more; see all with --format json"
    if done.commit is not None:
        yield f"Commit {done.commit}. Undo with: sfactl data undo {done.commit}"


def _shown(view: ProductView) -> Iterator[str]:
    product = view.product
    about = " · ".join(filter(None, (product.family, f"per {product.unit}" if product.unit else "")))
    yield f"{product.sku}  {product.name}" + (f"  ({about})" if about else "")
    if not product.active:
        yield "Not sold any more."
    if view.description:
        yield view.description
    if product.cost is not None:
        yield f"Cost {product.cost:f} {product.currency}"
    for price in view.prices:
        yield (
            f"  {price.price:,f} {price.currency}  from {price.from_quantity:f} ({price.mode})  "
            f"{price.book}, {price.validity}"
        )
    if not view.prices:
        yield "No price book has a price for it today."
