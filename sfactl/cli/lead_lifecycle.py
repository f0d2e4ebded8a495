"""The commands of the group ``lead`` that move leads along: qualify, move, disqualify, reopen, stages, convert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import click

from sfactl.cli import options, params
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.kinds import DAY

if TYPE_CHECKING:
    from sfactl.leads.conversion import Conversion
    from sfactl.leads.lifecycle import Lifecycle, Moved
    from sfactl.leads.verdicts import Qualification, Verdict


def register(group: click.Group) -> None:
    """Add the commands to the group ``lead``."""
    for command in (qualify, move, disqualify, reopen, stages, convert):
        group.add_command(command)


@click.command()
@click.option("--to", type=click.Choice(["mql", "sql"]), help="Only this step; without it MQL first, then SQL.")
@click.option(
    "--explain", "ref", metavar="REF", help="Show for one lead what it has and what it lacks; change nothing."
)
@click.option("--missing", is_flag=True, help="List the leads that stay, of --to or SQL, and what each lacks.")
@click.option("--clv", is_flag=True, help="An SQL must be expected to be worth something and be able to buy.")
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def qualify(
    app: App,
    *,
    to: str | None,
    ref: str | None,
    missing: bool,
    clv: bool,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Make MQLs and SQLs by the rules of qualification.toml.

    A lead becomes an MQL when the condition of [mql] holds, and an SQL when its score is at the pass mark and the
    required fields are known; [[sql.path]] adds other ways. Nobody moves twice, however often this runs.

    \b
    Example:
      sfactl lead qualify --dry-run
      sfactl lead qualify --explain lead:8841
      sfactl lead qualify --to sql --missing
    """
    from sfactl.leads import qualification_usecases as usecases

    if ref is not None:
        from sfactl.leads.qualification_explained import explain

        verdict = explain(app.session(), ref, clv=clv)
        output.emit(verdict, human=lambda: _verdict_lines(verdict))
        return
    if missing:
        output.emit(usecases.missing(app.session(), to="mql" if to == "mql" else "sql", clv=clv))
        return
    step: Literal["mql", "sql"] | None = None if to is None else "mql" if to == "mql" else "sql"
    done = usecases.qualify(app.session(dry_run=dry_run), to=step, clv=clv)
    empty = fail_empty and not any(step.qualified for step in done.steps)
    output.emit(done, human=lambda: _qualification_lines(done), exit_code=4 if empty else 0)


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--to", required=True, metavar="STAGE", help="new, mql, sql or disqualified.")
@click.option("--reason", metavar="TEXT", help="Why, for the history; needed for disqualified.")
@options.dry_run
@options.output
@pass_app
def move(app: App, *, refs: tuple[str, ...], to: str, reason: str | None, dry_run: bool, output: Output) -> None:
    """Move leads to another stage by hand.

    \b
    Example:
      sfactl lead move lead:12 lead:15 --to disqualified --reason "student"
    """
    from sfactl.leads import lifecycle_usecases as usecases

    done = usecases.move(app.session(dry_run=dry_run), refs, to=to, reason=reason)
    output.emit(done, human=lambda: _moved_lines(done))


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--reason", required=True, metavar="TEXT", help="Why; one of disqualify.reasons where they are listed.")
@options.dry_run
@options.output
@pass_app
def disqualify(app: App, *, refs: tuple[str, ...], reason: str, dry_run: bool, output: Output) -> None:
    """Drop leads, with the reason.

    \b
    Example:
      sfactl lead disqualify lead:12 --reason student
    """
    from sfactl.leads import lifecycle_usecases as usecases

    done = usecases.move(app.session(dry_run=dry_run), refs, to="disqualified", reason=reason)
    output.emit(done, human=lambda: _moved_lines(done))


@click.command()
@click.argument("refs", nargs=-1, required=True, metavar="REF...")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def reopen(app: App, *, refs: tuple[str, ...], reason: str | None, dry_run: bool, output: Output) -> None:
    """Take dropped leads up again, as new ones.

    \b
    Example:
      sfactl lead reopen lead:12 --reason "asked again"
    """
    from sfactl.leads import lifecycle_usecases as usecases

    done = usecases.move(app.session(dry_run=dry_run), refs, to="new", reason=reason)
    output.emit(done, human=lambda: _moved_lines(done))


@click.command()
@options.as_of
@options.output
@pass_app
def stages(app: App, *, as_of: str | None, output: Output) -> None:
    """Count the leads in each stage, and check the count against their history.

    \b
    Example:
      sfactl lead stages --as-of 2026-06-30
    """
    from sfactl.leads import lifecycle_usecases as usecases

    found = usecases.stages(app.session(as_of=as_of))
    output.emit(found, human=lambda: _stage_lines(found), exit_code=1 if found.differing else 0)


@click.command()
@click.argument("refs", nargs=-1, metavar="[REF...]")
@click.option("--all-sql", is_flag=True, help="Convert every sales-qualified lead.")
@click.option("--amount", type=params.amount, metavar="AMOUNT", help="Expected value [default: the lead's budget].")
@click.option("--currency", metavar="CODE", help="Currency of the amount [default: the workspace's].")
@click.option("--close", "close_date", type=DAY, metavar="DATE", help="Expected close, for instance 2026-12-31.")
@click.option("--pipeline", metavar="NAME", help="Pipeline whose first stage the opportunity enters.")
@options.dry_run
@options.output
@pass_app
def convert(
    app: App,
    *,
    refs: tuple[str, ...],
    all_sql: bool,
    amount: Decimal | None,
    currency: str | None,
    close_date: date | None,
    pipeline: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Make an account, a contact and an opportunity of each SQL, all in one commit.

    A known account is found by tax id, company name or domain; free-mail domains do not count. A lead that was
    converted before is left alone.

    \b
    Example:
      sfactl lead convert lead:8841 --amount 1200000 --close 2026-12-31
      sfactl lead convert --all-sql --dry-run
    """
    from sfactl.leads import conversion_usecases as usecases
    from sfactl.leads.conversion import Deal

    deal = Deal(amount=amount, currency=currency, close_date=close_date, pipeline=pipeline)
    done = usecases.convert(app.session(dry_run=dry_run), refs, all_sql=all_sql, deal=deal)
    output.emit(done, human=lambda: _conversion_lines(done), exit_code=3 if done.refused and done.converted else 0)


def _qualification_lines(done: Qualification) -> Iterator[str]:
    yield from _dry(done.dry_run)
    for step in done.steps:
        before = {"mql": "new leads", "sql": "MQLs"}[step.to]
        yield f"{step.to.upper()}  {step.qualified:,} of {step.qualified + step.staying:,} {before} qualify"
        if step.paths:
            yield "     By path: " + " · ".join(f"{n:,} {name}" for name, n in step.paths.items())
        if step.missing:
            yield "     Staying for want of: " + " · ".join(f"{m.leads:,} {m.item}" for m in step.missing)
        yield from (f"     {line}" for line in _committed(step.commit))
    if staying := [step.to for step in done.steps if step.staying]:
        yield f"Who lacks what: sfactl lead qualify --to {staying[-1]} --missing"


def _verdict_lines(verdict: Verdict) -> Iterator[str]:
    from sfactl.cli.tables import pad, width

    yield f"{verdict.name or 'Unnamed'} · lead:{verdict.lead_id} · {verdict.status}"
    if verdict.since:
        yield f"  since {verdict.since:%Y-%m-%d %H:%M} by {verdict.why_here}"
    if verdict.to is None:
        ready = verdict.status == "sql"
        yield f"Next: sfactl lead convert lead:{verdict.lead_id}" if ready else "Nothing comes next by rule."
        return
    held = sum(t.holds for t in verdict.terms)
    goal = verdict.to.upper() + (f" by path {verdict.path}" if verdict.path else "")
    yield (
        f"Qualifies as {goal}: all {held} requirements hold."
        if verdict.qualifies
        else f"Stays {verdict.status}. {held} of {len(verdict.terms)} requirements for {goal} hold."
    )
    room = max(width(t.name) for t in verdict.terms)
    for term in verdict.terms:
        yield f"  {'✓' if term.holds else '✗'} {pad(term.name, room)}  {term.value}"
    for other in verdict.others:
        yield f"  By path {other.name} it lacks {other.missing}"
    changes = [t.change or f"this to hold: {t.name}" for t in verdict.terms if not t.holds]
    if len(changes) == 1:
        yield f"Smallest change: {changes[0]}"
    elif changes:
        yield "Smallest changes, all of them:"
        yield from (f"  {change}" for change in changes)
    if verdict.cause and verdict.qualifies:
        yield f"Cause to be recorded: {verdict.cause} ({verdict.reason})"


def _moved_lines(done: Moved) -> Iterator[str]:
    yield from _dry(done.dry_run)
    yield f"{done.leads:,} {'lead' if done.leads == 1 else 'leads'} moved to {done.to}"
    yield from _committed(done.commit)


def _stage_lines(found: Lifecycle) -> Iterator[str]:
    from sfactl.cli.tables import table

    rows = [[s.stage, s.leads, s.replayed] for s in found.stages]
    rows.append(["total", sum(s.leads for s in found.stages), sum(s.replayed for s in found.stages)])
    yield from table(["stage", "leads", "by history"], rows)
    if found.differing:
        listed = ", ".join(f"lead:{n}" for n in found.differing[:10])
        yield f"Record and history differ for {len(found.differing)}: {listed}"


def _conversion_lines(done: Conversion) -> Iterator[str]:
    yield from _dry(done.dry_run)
    for lead in done.leads[:10]:
        found = "new" if lead.account_by == "new" else f"found by {lead.account_by}"
        yield (
            f"lead:{lead.lead_id} {lead.name or ''} → account:{lead.account_id} {lead.account or ''} ({found}),"
            f" contact:{lead.contact_id}, opp:{lead.opportunity_id}"
        )
    if done.converted > 10:
        yield f"… and {done.converted - 10:,} more"
    if done.converted:
        yield (
            f"{done.converted:,} converted · accounts {done.accounts_new:,} new, {done.accounts_found:,} known"
            f" · contacts {done.contacts_new:,} new, {done.contacts_found:,} known"
        )
    elif not done.already:
        yield "No lead to convert."
    if done.already:
        yield "already converted: " + ", ".join(f"lead:{n}" for n in done.already[:20])
    for refused in done.refused[:20]:
        yield f"not converted: lead:{refused.lead_id} {refused.reason}"
    yield from _committed(done.commit)


def _dry(dry_run: bool) -> Iterator[str]:
    if dry_run:
        yield "Dry run: nothing is written."


def _committed(commit: int | None) -> Iterator[str]:
    if commit is not None:
        yield f"Commit {commit}. Undo with: sfactl data undo {commit}"
