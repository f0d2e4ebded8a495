"""``sfactl campaign``: plan, approve, apply and watch campaigns."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import campaign_lines as lines
from sfactl.cli import campaign_test, options, rule_transfer
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Campaigns: plan who gets what, then apply exactly that plan."""


campaign_test.register(group)
rule_transfer.register(group, "campaign")


@group.command("list")
@options.output
@pass_app
def list_(app: App, output: Output) -> None:
    """List campaigns, whether they run, and what they sent.

    \b
    Example:
      sfactl campaign list
    """
    from sfactl.campaigns import usecases

    output.emit(usecases.campaigns(app.session()))


@group.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@options.output
@pass_app
def check(app: App, names: tuple[str, ...], output: Output) -> None:
    """Check campaign files, their templates, conditions and senders.

    \b
    Example:
      sfactl campaign check
      sfactl campaign check spring-webinar
    """
    from sfactl.campaigns import usecases

    found = usecases.check(app.session(), names)
    marks = {"ok": "✓", "warning": "!", "error": "✗"}
    output.emit(
        found,
        human=lambda: [f"{marks[f.severity]} {f.campaign}: {f.message}" for f in found] or ["There are no campaigns."],
        exit_code=2 if any(f.severity == "error" for f in found) else 0,
    )


@group.command()
@click.argument("name")
@click.option("--at", metavar="TIME", default=None, help="Plan for this time (workspace zone) instead of now.")
@click.option("--diff", "show_diff", is_flag=True, help="List who differs from the plan before.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Show N recipients of each step and action.")
@options.dry_run
@options.as_of
@options.fail_empty
@options.output
@pass_app
def plan(
    app: App,
    name: str,
    at: str | None,
    show_diff: bool,
    sample: int | None,
    dry_run: bool,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """Work out what campaign NAME would do now, for whom, and why not for others. Sends nothing.

    The same files and data give the same plan id on any machine.

    \b
    Example:
      sfactl campaign plan spring-webinar
      sfactl campaign plan spring-webinar --sample 5
      sfactl campaign plan spring-webinar --at 2026-11-23T09:00 --dry-run
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run, as_of=as_of)
    result = usecases.plan(session, name, at=session.moment(at) if at else None)
    nothing = fail_empty and result.sends + result.tasks == 0
    if output.format in ("jsonl", "csv", "parquet") and result.saved:
        output.emit(usecases.items(session, result.plan_id, sample=sample or 0), exit_code=4 if nothing else 0)
        return

    def human() -> list[str]:
        text = list(lines.plan_lines(result))
        if sample and result.saved:
            text += ["", *lines.table_lines(usecases.items(session, result.plan_id, sample=sample))]
        if show_diff and result.saved and result.previous:
            found = usecases.difference(session, result.previous, result.plan_id)
            text += ["", *lines.diff_lines(found, found.slice(0, 50))]
        return text

    output.emit(result, human=human, exit_code=4 if nothing else 0)


@group.command()
@click.argument("plan")
@click.argument("other", required=False)
@options.limit(50)
@options.output
@pass_app
def diff(app: App, plan: str, other: str | None, limit: int, output: Output) -> None:
    """List recipients that differ between PLAN and the data as it is now, or another plan.

    \b
    Example:
      sfactl campaign diff 7f3a19
      sfactl campaign diff 51c0de 7f3a19
    """
    from sfactl.campaigns import usecases

    found = usecases.difference(app.session(), plan, other)
    shown = found.slice(0, limit) if limit else found
    output.emit(shown, human=lambda: lines.diff_lines(found, shown))


@group.command()
@click.argument("plan")
@click.option("--action", type=click.Choice(["send", "task", "wait", "skip", "hold"]), default=None, help="Only these.")
@options.limit(50)
@options.output
@pass_app
def show(app: App, plan: str, action: str | None, limit: int, output: Output) -> None:
    """Show what PLAN would do for each recipient.

    \b
    Example:
      sfactl campaign show 7f3a19 --action skip
      sfactl campaign show 7f3a19 --limit 0 --format csv --output plan.csv
    """
    from sfactl.campaigns import usecases

    output.emit(usecases.items(app.session(), plan, action=action or "", limit=limit))


@group.command()
@click.argument("plan")
@options.dry_run
@options.output
@pass_app
def approve(app: App, plan: str, dry_run: bool, output: Output) -> None:
    """Approve exactly PLAN. A plan with other recipients or texts has another id and needs its own approval.

    \b
    Example:
      sfactl campaign approve 7f3a19
    """
    from sfactl.campaigns import usecases

    row = usecases.approve(app.session(dry_run=dry_run), plan)
    text = f"Plan {row.short} ({row.sends:,} messages) approved by {row.approved_by}."
    output.emit(row, human=lambda: [text, f"Next: sfactl campaign apply {row.short}"])


@group.command()
@click.argument("plan")
@options.permits
@options.dry_run
@options.output
@pass_app
def apply(app: App, plan: str, *, late: bool, override: str, dry_run: bool, output: Output) -> None:
    """Do exactly what PLAN says. Nobody is written to twice, however often this is run or killed.

    \b
    Example:
      sfactl campaign apply 7f3a19 --dry-run
      sfactl campaign apply 7f3a19
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.apply(session, plan, late=late, override=override)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: lines.apply_lines(result, zone), exit_code=3 if result.partly else 0)


@group.command()
@click.argument("plan")
@click.option("--missing", is_flag=True, help="Also a plan that was done: reach exactly those who got nothing yet.")
@options.permits
@options.dry_run
@options.output
@pass_app
def resume(app: App, plan: str, *, missing: bool, late: bool, override: str, dry_run: bool, output: Output) -> None:
    """Go on with PLAN where it was interrupted; only those who were missed are written to.

    \b
    Example:
      sfactl campaign resume 7f3a19
      sfactl campaign resume 7f3a19 --missing
      sfactl campaign resume 7f3a19 --override "one company closed"
    """
    from sfactl.campaigns import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.resume(session, plan, missing=missing, late=late, override=override)
    zone = session.settings.workspace.time_zone
    output.emit(result, human=lambda: lines.apply_lines(result, zone), exit_code=3 if result.partly else 0)


@group.command()
@click.argument("name")
@click.option("--contact", "--lead", "contact", default="", metavar="WHO", help="What happened to this one, and why.")
@options.as_of
@options.output
@pass_app
def status(app: App, name: str, contact: str, as_of: str | None, output: Output) -> None:
    """Show the plans and messages of campaign NAME, or what it did, and would do now, about one contact.

    \b
    Example:
      sfactl campaign status spring-webinar
      sfactl campaign status spring-webinar --contact lead:8841
    """
    from sfactl.campaigns import usecases

    session = app.session(as_of=as_of)
    zone = session.settings.workspace.time_zone
    if contact:
        from sfactl.cli.why_lines import why_lines
        from sfactl.reach.usecases import why

        told = why(session, contact, only=name)
        output.emit(told, human=lambda: why_lines(told, zone, everything=True))
        return
    result = usecases.status(session, name)
    output.emit(result, human=lambda: lines.status_lines(result, zone))


@group.command()
@click.argument("name")
@click.argument("lead", type=int)
@click.option("--step", metavar="STEP", default="", help="Only the message of this step.")
@options.html_page
@options.as_of
@options.output
@pass_app
def preview(app: App, name: str, lead: int, *, step: str, html: Path | None, as_of: str | None, output: Output) -> None:
    """Show every message of campaign NAME as LEAD would get it. Sends nothing.

    \b
    Example:
      sfactl campaign preview spring-webinar 8841
      sfactl campaign preview spring-webinar 8841 --step invite --html invite.html
    """
    from sfactl.campaigns import usecases
    from sfactl.cli.message_lines import emit_previews

    shown = usecases.preview(app.session(as_of=as_of), name, lead, step=step)
    emit_previews(output, shown, html)


@group.command()
@click.argument("name")
@options.dry_run
@options.output
@pass_app
def pause(app: App, name: str, dry_run: bool, output: Output) -> None:
    """Stop campaign NAME. A run under way stops before its next 20 messages.

    \b
    Example:
      sfactl campaign pause spring-webinar
    """
    from sfactl.campaigns import usecases

    result = usecases.pause(app.session(dry_run=dry_run), name)
    output.emit(result, human=lambda: [f"{name} {'is paused now' if result.changed else 'was paused already'}."])


@group.command()
@click.argument("name")
@options.dry_run
@options.output
@pass_app
def unpause(app: App, name: str, dry_run: bool, output: Output) -> None:
    """Let campaign NAME go on.

    \b
    Example:
      sfactl campaign unpause spring-webinar
    """
    from sfactl.campaigns import usecases

    result = usecases.unpause(app.session(dry_run=dry_run), name)
    output.emit(result, human=lambda: [f"{name} {'may go on now' if result.changed else 'was not paused'}."])
