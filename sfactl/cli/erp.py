"""``sfactl erp``: exchange with the ERP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY

if TYPE_CHECKING:
    from sfactl.orders.model import Checked, Listed, PullResult, PushResult, Reconciliation, StreamCount

SHOWN = 20


@click.group()
def group() -> None:
    """Exchange with the ERP: one file erp/NAME.toml each. NAME may be left out where there is only one."""


@group.command("list")
@options.output
@pass_app
def list_(app: App, *, output: Output) -> None:
    """List the ERPs and what they have of ours.

    \b
    Example:
      sfactl erp list
    """
    from sfactl.orders import usecases

    output.emit(usecases.list_connections(app.session()))


@group.command("check")
@click.argument("name", required=False)
@options.output
@pass_app
def check(app: App, name: str | None, *, output: Output) -> None:
    """Ask the ERP NAME whether it can be used; nothing is written.

    \b
    Example:
      sfactl erp check
    """
    from sfactl.orders import usecases

    found = usecases.check(app.session(), name)
    output.emit(found, human=lambda: _checked(found), exit_code=3 if found.problems else 0)


@group.command("push")
@click.argument("name", required=False)
@click.option("--orders", "orders_only", is_flag=True, help="Only new orders and what they need.")
@click.option("--order", "only", multiple=True, metavar="ORDER", help="Only this order; repeat for more.")
@click.option("--retry", multiple=True, metavar="ORDER", help="Try this refused order again.")
@options.fail_empty
@options.dry_run
@options.output
@pass_app
def push(
    app: App,
    name: str | None,
    *,
    orders_only: bool,
    only: tuple[str, ...],
    retry: tuple[str, ...],
    fail_empty: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Push customers, products and orders to the ERP NAME, each once.

    An order whose answer was lost is held, and looked up by the next push before anything is sent again.

    \b
    Example:
      sfactl erp push
      sfactl erp push --retry O-12
    """
    from sfactl.orders import usecases

    done = usecases.push(app.session(dry_run=dry_run), name, orders_only=orders_only, only=only, retry=retry)
    pushed = done.customers + done.products + done.orders + done.cancelled + done.recovered
    nothing = 4 if fail_empty and not pushed else 0
    output.emit(done, human=lambda: _pushed(done), exit_code=3 if done.undone else nothing)


@group.command("pull")
@click.argument("name", required=False)
@options.fail_empty
@options.dry_run
@options.output
@pass_app
def pull(app: App, name: str | None, *, fail_empty: bool, dry_run: bool, output: Output) -> None:
    """Pull invoices and payments from the ERP NAME.

    \b
    Example:
      sfactl erp pull
    """
    from sfactl.orders import usecases

    done = usecases.pull(app.session(dry_run=dry_run), name)
    nothing = 4 if fail_empty and not done.invoices.rows + done.payments.rows else 0
    bad = done.invoices.rejected or done.payments.rejected
    output.emit(done, human=lambda: _pulled(done), exit_code=3 if bad else nothing)


@group.command("reconcile")
@click.argument("name", required=False)
@click.option("--as-of", "--on", "on", type=DAY, metavar="DATE", help="The day to compare [default: today].")
@click.option("--orders", is_flag=True, help="Look up every pushed order too.")
@options.output
@pass_app
def reconcile(app: App, name: str | None, *, on: date | None, orders: bool, output: Output) -> None:
    """Compare open receivables with the ERP NAME and list every difference with both values.

    \b
    Example:
      sfactl erp reconcile --as-of 2026-06-30
    """
    from sfactl.orders import usecases

    found = usecases.reconcile(app.session(), name, on=on, orders=orders)
    output.emit(found, human=lambda: _reconciled(found), exit_code=3 if found.differences else 0)


def _checked(found: Checked) -> Iterator[str]:
    yield f"{found.erp} ({found.use})"
    for fact, value in found.facts.items():
        yield f"  {fact}: {value}"
    yield from (f"  problem: {problem}" for problem in found.problems[:SHOWN])
    yield from _more(len(found.problems))
    if not found.problems:
        yield "Ready."


def _pushed(done: PushResult) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written or sent."
    parts = [_many(done.orders, "order"), _many(done.customers, "customer"), _many(done.products, "product")]
    if done.cancelled:
        parts.append(f"{done.cancelled:,} cancelled")
    yield f"Pushed to {done.erp}: {' · '.join(parts)} · {done.unchanged:,} unchanged"
    if done.recovered:
        yield f"  {done.recovered:,} from an earlier push were found there and recorded, not sent again"
    yield from _listed("refused", done.refused, "Put it right, then: sfactl erp push --retry ORDER")
    yield from _listed("to be confirmed", done.to_confirm, "Confirm it in the ERP and close the task, then push again.")
    yield from _listed("unknown", done.unknown, "Held; the next push asks the ERP before it sends anything again.")
    yield from _listed("postponed", done.postponed, "Push again later.")
    yield from _listed("duplicate", done.duplicates, "Cancel all but one in the ERP. A task was opened for each.")


def _listed(what: str, rows: tuple[Listed, ...], advice: str) -> Iterator[str]:
    if not rows:
        return
    yield f"  {len(rows):,} {what}:"
    yield from (f"    {row.what}: {row.reason}" for row in rows[:SHOWN])
    yield from _more(len(rows))
    yield f"    {advice}"


def _pulled(done: PullResult) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield _counted(f"Invoices from {done.erp}", done.invoices)
    yield _counted(f"Payments from {done.erp}", done.payments)
    rejected = (*done.invoices.rejected, *done.payments.rejected)
    yield from (f"  {bad.where}: {bad.reason}" for bad in rejected[:SHOWN])
    yield from _more(len(rejected))
    if done.unmatched:
        yield f"{_many(done.unmatched, 'receipt')} not wholly matched. See: sfactl ar unmatched"


def _counted(what: str, count: StreamCount) -> str:
    return (
        f"{what}: {_many(count.rows, 'row')} · {count.new:,} new · {count.updated:,} updated · "
        f"{count.unchanged:,} unchanged · {len(count.rejected):,} rejected"
    )


def _reconciled(found: Reconciliation) -> Iterator[str]:
    from sfactl.cli.tables import table

    yield f"Open on {found.as_of}: {found.open_here:,} here, {found.open_there:,} in {found.erp}"
    if not found.differences:
        yield "No difference."
        return
    rows = [[d.invoice, d.what, d.ours, d.erp] for d in found.differences]
    yield from (f"  {row}" for row in table(["item", "what", "here", found.erp], rows))
    yield f"{len(rows):,} difference{'s' if len(rows) != 1 else ''}."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"    … and {count - SHOWN:,} more; see all with --format json"
