"""``sfactl segment rfm|rfa|lifecycle|preference|layers``: customers in classes; registered by the group ``segment``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sfactl.api.errors import UserError
from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.report_scope import valid_at
from sfactl.cli.tables import pad, table, width
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.segments.layer_names import Kind
    from sfactl.segments.layers import CustomerExplained, LayerRun

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 20


def register(group: click.Group) -> None:
    """Add the commands to ``group``."""
    for command in (rfm, rfa, lifecycle, preference, layers):
        group.add_command(command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of a layer; at most one of customers, lead and start."""

    layer: str | None
    customers: bool
    only: str | None
    lead: str | None
    start: str | None
    end: str | None
    limit: int
    dry_run: bool
    valid_at: str | None
    as_of: str | None

    def check(self) -> None:
        """Raise `UserError` for options that do not go together."""
        if sum((self.customers, self.lead is not None, self.start is not None)) > 1:
            raise UserError("--customers, --explain and --from are three questions; ask one at a time")
        if self.end is not None and self.start is None:
            raise UserError("--to goes with --from")
        if self.only is not None and not self.customers:
            raise UserError("--class goes with --customers")
        if self.valid_at is not None and self.start is not None:
            raise UserError("--from and --to are times already; leave out --valid-at")


def _asking(command: F) -> F:
    """The arguments and options that all layers share, handed to the command as one `Asked` named ``asked``."""

    @functools.wraps(command)
    def with_asked(app: App, output: Output, **given: Any) -> Any:
        asked = Asked(**given)
        asked.check()
        return command(app, asked=asked, output=output)

    decorated: Any = pass_app(with_asked)
    for option in (
        options.output,
        options.as_of,
        valid_at,
        options.dry_run,
        options.limit(50),
        click.option("--to", "end", metavar="WHEN", help="With --from: the later time [default: now]."),
        click.option("--from", "start", metavar="WHEN", help="Count who went from which class to which since then."),
        click.option("--explain", "lead", metavar="LEAD", help="Say why this customer is in their class."),
        click.option("--class", "only", metavar="CLASS", help="With --customers: only those of this class."),
        click.option("--customers", is_flag=True, help="List every customer with figures and class; store nothing."),
        click.argument("layer", required=False),
    ):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]


@click.command()
@_asking
def rfm(app: App, *, asked: Asked, output: Output) -> None:
    """Put customers into classes by recency, frequency and money: LAYER, or the only one, or the shipped one.

    Quantiles or declared cuts and the names of the classes stand in layers/LAYER.toml. The classes are stored, so that
    segments can ask: layer.rfm = 'champion'. With --as-of or --valid-at nothing is stored.

    \b
    Example:
      sfactl segment rfm
      sfactl segment rfm --explain lead:12
      sfactl segment rfm --from 2026-01-01
    """
    _do(app, "rfm", asked, output)


@click.command()
@_asking
def rfa(app: App, *, asked: Asked, output: Output) -> None:
    """Put customers into classes by recency, frequency and amount or activity, with a letter code.

    The third axis is named in the answer. Cuts, letters and names stand in layers/LAYER.toml.

    \b
    Example:
      sfactl segment rfa
      sfactl segment rfa --customers --format csv
    """
    _do(app, "rfa", asked, output)


@click.command()
@_asking
def lifecycle(app: App, *, asked: Asked, output: Output) -> None:
    """Put each customer into one period: acquisition, growth, maturity or decline.

    Who has probably left is told by P(alive) of the BG/NBD model, fitted to the orders; where there are too few, a
    stated rule of silence stands in.

    \b
    Example:
      sfactl segment lifecycle
      sfactl segment lifecycle --from 2026-01-01 --to 2026-07-01
    """
    _do(app, "lifecycle", asked, output)


@click.command()
@_asking
def preference(app: App, *, asked: Asked, output: Output) -> None:
    """Put customers into classes by the product type they buy most; the shares of each add up to 1.

    \b
    Example:
      sfactl segment preference
      sfactl segment preference --explain lead:12
    """
    _do(app, "preference", asked, output)


@click.command()
@options.as_of
@options.output
@pass_app
def layers(app: App, *, as_of: str | None, output: Output) -> None:
    """List the layers and how many customers each has put into a class.

    \b
    Example:
      sfactl segment layers
    """
    from sfactl.segments.usecases import layering

    output.emit(layering.list_layers(app.session(as_of=as_of)))


def _do(app: App, kind: Kind, asked: Asked, output: Output) -> None:
    from sfactl.segments.usecases import layering

    session = app.session(dry_run=asked.dry_run, as_of=asked.as_of)
    if asked.start is not None:
        found = layering.transitions(session, kind, asked.layer, asked.start, asked.end)
        output.emit(found, human=lambda: _moves(found.to_pylist()))
    elif asked.lead is not None:
        from sfactl.engine.references import number_of
        from sfactl.segments.usecases.layer_explaining import explain

        why = explain(session, kind, asked.layer, number_of("lead", asked.lead), valid_at=asked.valid_at)
        output.emit(why, human=lambda: _explained(why))
    elif asked.customers:
        found = layering.customers(session, kind, asked.layer, only=asked.only, valid_at=asked.valid_at)
        if asked.limit and found.num_rows > asked.limit:
            session.note(f"{asked.limit:,} of {found.num_rows:,} customers; see all with --limit 0")
            found = found.slice(0, asked.limit)
        output.emit(found)
    elif asked.as_of is not None or asked.valid_at is not None:
        seen = layering.look(session, kind, asked.layer, valid_at=asked.valid_at)
        output.emit(seen, human=lambda: _ran(seen))
    else:
        done = layering.run(session, kind, asked.layer)
        output.emit(done, human=lambda: _ran(done))


def _ran(result: LayerRun) -> Iterator[str]:
    if result.dry_run:
        yield "Dry run: nothing is written."
    unit = f" ({result.unit})" if result.unit else ""
    axis = f" · third axis: {result.value_name}{unit}" if result.kind in ("rfm", "rfa") else ""
    yield f"{result.layer}: {count(result.customers, 'customer')} as of {result.at:%Y-%m-%d %H:%M}{axis}"
    rows = [
        [
            size.name,
            size.customers,
            f"{size.share:6.1%}",
            *([_mean(size.days, 0), _mean(size.orders, 1)]),
            _mean(size.value, 3 if result.value_name in ("p_alive", "share") else 2),
        ]
        for size in result.classes[:SHOWN]
    ]
    heads = ["class", "customers", "share", "days since", "rows" if result.kind == "preference" else "orders"]
    value = {"p_alive": "P(alive)", "share": "share of theirs"}.get(result.value_name, result.value_name)
    if result.customers:
        yield from (f"  {line}" for line in table([*heads, value], rows))
    if len(result.classes) > SHOWN:
        yield f"  … and {count(len(result.classes) - SHOWN, 'class')} more"
    yield from _notes(result)
    if result.commit is not None:
        best = next((size.name for size in result.classes if size.customers), "")
        yield f"Commit {result.commit}. In conditions: layer.{result.layer} = '{best}'"
    elif result.stored and not result.dry_run:
        yield "Nothing changed, nothing was written."


def _notes(result: LayerRun) -> Iterator[str]:
    yield f"  Means of each class; {result.method}"
    fitted = result.fitted
    if fitted is not None and fitted.method == "bg/nbd":
        said = ", ".join(f"{name} {value:.4g}" for name, value in fitted.parameters.items())
        yield f"  BG/NBD on {count(fitted.customers, 'customer')}, {fitted.repeaters:,} bought again: {said}"
    elif fitted is not None:
        yield f"  No P(alive): {fitted.note}. The rule of silence decides instead."
    for what, number in result.left_out.items():
        yield f"  Left out: {what}: {number:,}"


def _mean(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _moves(rows: list[dict[str, Any]]) -> Iterator[str]:
    """From down, to across; the dash stands for no class."""
    none = "–"
    names = list(dict.fromkeys(row[end] or none for row in rows for end in ("from_class", "to_class")))
    names.sort(key=lambda name: name == none)
    cells = {(row["from_class"] or none, row["to_class"] or none): row["customers"] for row in rows}
    if not cells:
        yield "No customers at either time."
        return
    lines = [
        [name, *(cells.get((name, to), 0) for to in names), sum(cells.get((name, to), 0) for to in names)]
        for name in names
    ]
    lines.append(["all", *(sum(cells.get((name, to), 0) for name in names) for to in names), sum(cells.values())])
    yield from table(["from \\ to", *names, "all"], lines)


def _explained(result: CustomerExplained) -> Iterator[str]:
    if result.lead:
        yield result.lead
    yield f"{result.layer}: {result.name or 'in no class'} as of {result.at:%Y-%m-%d %H:%M}"
    first = max(width(reason.what) for reason in result.reasons)
    second = max(width(reason.answer) for reason in result.reasons)
    for reason in result.reasons:
        yield f"  {pad(reason.what, first)}  {pad(reason.answer, second)}  {reason.why}".rstrip()
    if result.stored is None:
        yield "Nothing is stored for this customer yet." if result.name else "Nothing is stored."
    else:
        since = f" since {result.since:%Y-%m-%d}" if result.since else ""
        yield f"Stored: {result.stored}{since}{'' if result.stored == result.name else '; run the layer again'}"
