"""The group ``lead pool``: the public pool of leads that nobody holds, and what guards those that somebody does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.reps.pool import Claimed, Collided, Recycled

SHOWN = 20


def register(group: click.Group) -> None:
    """Add the group to the group ``lead``."""
    group.add_command(pool)


@click.group()
def pool() -> None:
    """The public pool: leads that nobody holds, for any rep to claim, by the rules of pool.toml."""


@pool.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["pool", "asleep", "held"]),
    help="Only leads in this state; may be repeated [default: pool and asleep].",
)
@click.option("--rep", metavar="REP", help="Only leads that this rep holds, or held last.")
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(
    app: App, *, states: tuple[str, ...], rep: str | None, as_of: str | None, fail_empty: bool, output: Output
) -> None:
    """List the leads in the pool, or those that reps hold, with who is protected until when.

    \b
    Example:
      sfactl lead pool list
      sfactl lead pool list --state held --rep mei
    """
    from sfactl.reps import usecases

    found = usecases.list_pool(app.session(as_of=as_of), states=states or ("pool", "asleep"), rep=rep)
    output.emit(found, exit_code=4 if fail_empty and not found.num_rows else 0)


@pool.command()
@click.option("--within", default="3 days", show_default=True, metavar="PERIOD", help="How far to look ahead.")
@options.as_of
@options.fail_empty
@options.output
@pass_app
def due(app: App, *, within: str, as_of: str | None, fail_empty: bool, output: Output) -> None:
    """List the held leads that go back to the pool soon unless their reps follow up or convert them.

    \b
    Example:
      sfactl lead pool due --within '3 days'
    """
    from sfactl.reps import usecases

    found = usecases.due(app.session(as_of=as_of), within=within)
    output.emit(found, exit_code=4 if fail_empty and not found.num_rows else 0)


@pool.command()
@click.argument("refs", nargs=-1, required=True, metavar="LEAD...")
@click.option("--by", metavar="REP", help="The rep who claims [default: who runs the command].")
@options.dry_run
@options.output
@pass_app
def claim(app: App, *, refs: tuple[str, ...], by: str | None, dry_run: bool, output: Output) -> None:
    """Take leads from the pool into the hands of a rep.

    Refused are leads that somebody protects, other leads of a customer that somebody protects, leads that the rep lost
    and must leave alone for a while, and leads beyond the rep's limits. Exits with 3 when some are refused, with 2 when
    all are.

    \b
    Example:
      sfactl lead pool claim lead:12 lead:15 --by mei
    """
    from sfactl.reps import usecases

    done = usecases.claim(app.session(dry_run=dry_run), _numbers(refs), by=by)
    output.emit(done, human=lambda: _claim_lines(done, f"claimed for {done.rep}"), exit_code=_code(done))


@pool.command()
@click.argument("refs", nargs=-1, required=True, metavar="LEAD...")
@click.option("--by", metavar="REP", help="Only leads that this rep holds.")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def release(
    app: App, *, refs: tuple[str, ...], by: str | None, reason: str | None, dry_run: bool, output: Output
) -> None:
    """Give leads back to the pool.

    \b
    Example:
      sfactl lead pool release lead:12 --reason "not my trade"
    """
    from sfactl.reps import usecases

    done = usecases.release(app.session(dry_run=dry_run), _numbers(refs), by=by, reason=reason)
    output.emit(done, human=lambda: _claim_lines(done, "back in the pool"), exit_code=_code(done))


@pool.command()
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def recycle(app: App, *, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Return to the pool what was idle too long or not converted in time; let sleep what nobody claims.

    Run it on a schedule; a second run changes nothing.

    \b
    Example:
      sfactl lead pool recycle --dry-run
    """
    from sfactl.reps import usecases

    done = usecases.recycle(app.session(dry_run=dry_run))
    empty = fail_empty and not (done.returned or done.asleep)
    output.emit(done, human=lambda: _recycled_lines(done), exit_code=4 if empty else 0)


@pool.command()
@click.argument("refs", nargs=-1, metavar="[LEAD...]")
@options.dry_run
@options.output
@pass_app
def wake(app: App, *, refs: tuple[str, ...], dry_run: bool, output: Output) -> None:
    """Put sleeping leads back into the pool: those named, or all that stirred since they fell asleep.

    \b
    Example:
      sfactl lead pool wake
      sfactl lead pool wake lead:12
    """
    from sfactl.reps import usecases

    done = usecases.wake(app.session(dry_run=dry_run), _numbers(refs))
    output.emit(done, human=lambda: _claim_lines(done, "awake and in the pool"), exit_code=_code(done) if refs else 0)


@pool.command()
@click.argument("ref", required=False, metavar="[LEAD]")
@click.option("--company", metavar="NAME", help="Name of the company; legal forms and capitals do not matter.")
@click.option("--tax-id", metavar="NUMBER", help="Tax id of the company.")
@click.option("--phone", metavar="NUMBER", help="Phone number.")
@click.option("--email", metavar="ADDRESS", help="E-mail address.")
@options.as_of
@options.output
@pass_app
def check(
    app: App,
    *,
    ref: str | None,
    company: str | None,
    tax_id: str | None,
    phone: str | None,
    email: str | None,
    as_of: str | None,
    output: Output,
) -> None:
    """Check whether somebody protects a customer: a LEAD, or one with these keys. Exits with 3 if so.

    \b
    Example:
      sfactl lead pool check lead:12
      sfactl lead pool check --company "ACME Co., Ltd." --phone "+886 912 345 678"
    """
    from sfactl.reps import usecases

    said = {"company": company, "tax_id": tax_id, "phone": phone, "email": email}
    if (ref is None) == (not any(said.values())):
        raise click.UsageError("Name a lead, or say what is known: --company, --tax-id, --phone, --email.")
    session = app.session(as_of=as_of)
    number = _numbers([ref])[0] if ref is not None else None
    found = usecases.collisions(session, number, keys={k: v for k, v in said.items() if v})
    output.emit(found, human=lambda: _check_lines(found), exit_code=3 if found else 0)


def _numbers(refs: Sequence[str]) -> list[int]:
    from sfactl.cli.assign import lead_number

    return [lead_number(ref) for ref in refs]


def _code(done: Claimed) -> int:
    return 0 if not done.refused else 3 if done.done else 2


def _claim_lines(done: Claimed, what: str) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    until = f", protected until {done.protected_until:%Y-%m-%d %H:%M} UTC" if done.protected_until else ""
    yield f"{count(len(done.done), 'lead')} {what}{until}"
    for refused in done.refused[:SHOWN]:
        yield f"  not lead:{refused.lead_id}: {refused.reason}"
    if len(done.refused) > SHOWN:
        yield f"  … and {len(done.refused) - SHOWN:,} more"
    yield from _committed(done.commit)


def _recycled_lines(done: Recycled) -> Iterator[str]:
    if done.dry_run:
        yield "Dry run: nothing is written."
    yield f"{len(done.returned):,} back in the pool · {len(done.asleep):,} fell asleep" + (
        f" · {done.settled:,} set right" if done.settled else ""
    )
    for lead in (*done.returned[:SHOWN], *done.asleep[:SHOWN]):
        yield f"  lead:{lead.lead_id}  {lead.holder or ''}  {lead.cause}"
    yield from _committed(done.commit)


def _check_lines(found: tuple[Collided, ...]) -> Iterator[str]:
    if not found:
        yield "Nobody protects this customer."
    for other in found[:SHOWN]:
        yield (
            f"{other.holder} protects lead:{other.lead_id} {other.company or other.name or ''} until"
            f" {other.protected_until:%Y-%m-%d %H:%M} UTC (same {other.same})"
        )


def _committed(commit: int | None) -> Iterator[str]:
    if commit is not None:
        yield f"Commit {commit}. Undo with: sfactl data undo {commit}"
