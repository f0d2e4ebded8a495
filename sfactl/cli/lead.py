"""``sfactl lead``: import, pull, list, show, set and clean leads; their life cycle is in a module beside this one."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import (
    lead_dedupe,
    lead_enrich,
    lead_lifecycle,
    lead_link,
    lead_merge,
    lead_next,
    lead_pool,
    lead_refer,
    options,
)
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.lead_lines import cleaned_lines, imported_lines, pulled_lines, set_lines, shown_lines


@click.group()
def group() -> None:
    """Leads: import, pull, clean, qualify, convert."""


@group.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--mapping", "--map", "mapping", metavar="NAME", help="A mapping: its name in mappings/, or a file.")
@click.option("--source", metavar="NAME", help="Where these leads come from.")
@click.option("--event", metavar="NAME", help="The event or trade show where they were met.")
@click.option(
    "--form", metavar="NAME", help="The rows are postings of this web form: each is an event of its lead, too."
)
@click.option("--add-fields", is_flag=True, help="Declare unknown fields of the mapping, as text.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App,
    files: tuple[Path, ...],
    *,
    mapping: str | None,
    source: str | None,
    event: str | None,
    form: str | None,
    add_fields: bool,
    dry_run: bool,
    output: Output,
) -> None:
    """Import leads from FILES: CSV, spreadsheets, JSON, Parquet, vCards.

    Without a mapping the columns are recognised by their headers. A file is imported as a whole or not at all; rows
    that cannot be used are written to rejects/ with the reason.

    \b
    Example:
      sfactl lead import expo.xlsx --event "Expo 2026"
      sfactl lead import export.csv --mapping crm --dry-run
      sfactl lead import posts.jsonl --form contact-us
    """
    from sfactl.leads import usecases

    session = app.session(dry_run=dry_run)
    result = usecases.import_files(
        session, files, mapping=mapping, source=source, event=event, form=form, add_fields=add_fields
    )
    output.emit(result, human=lambda: imported_lines(result), exit_code=3 if result.rejected else 0)


@group.command("list")
@click.option("--where", metavar="CONDITION", help="Only leads that meet the condition.")
@options.limit(50)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(app: App, *, where: str | None, limit: int, as_of: str | None, fail_empty: bool, output: Output) -> None:
    """List leads.

    \b
    Example:
      sfactl lead list --where "country = 'TW'" --columns id,email --format csv
    """
    from sfactl.leads import usecases

    session = app.session(as_of=as_of)
    table, total = usecases.list_leads(session, where=where, columns=output.columns or (), limit=limit)
    if total > table.num_rows:
        session.note(f"{table.num_rows:,} of {total:,} leads; see all with --limit 0")
    output.emit(table, exit_code=4 if fail_empty and not total else 0)


@group.command()
@click.argument("ref")
@click.option(
    "--touches",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="Touchpoints of the last 90 days.",
)
@options.as_of
@options.output
@pass_app
def show(app: App, ref: str, *, touches: int, as_of: str | None, output: Output) -> None:
    """Show one lead: REF is its number, e-mail address or external id.

    \b
    Example:
      sfactl lead show 8841
      sfactl lead show ming@example.com --as-of 2026-11-01
    """
    from sfactl.leads.usecases import show_lead

    detail = show_lead(app.session(as_of=as_of), ref, touches=touches)
    output.emit(detail, human=lambda: shown_lines(detail))


@group.command("set")
@click.argument("ref")
@click.argument("values", nargs=-1, required=True, metavar="FIELD=VALUE…")
@click.option("--reason", metavar="TEXT", help="Why, for the history.")
@options.dry_run
@options.output
@pass_app
def set_(app: App, ref: str, values: tuple[str, ...], *, reason: str | None, dry_run: bool, output: Output) -> None:
    """Set fields of one lead. Values are cleaned like imported ones; FIELD= empties a field.

    \b
    Example:
      sfactl lead set 8841 phone="0912 345 678" title=
    """
    said = dict(v.partition("=")[::2] for v in values)
    if any("=" not in v for v in values):
        raise click.UsageError("Say FIELD=VALUE, for instance title=CEO.")
    from sfactl.leads.usecases import set_fields

    result = set_fields(app.session(dry_run=dry_run), ref, said, reason=reason)
    output.emit(result, human=lambda: set_lines(result, dry_run=dry_run))


@group.command()
@click.option("--where", metavar="CONDITION", help="Only leads that meet the condition.")
@options.dry_run
@options.output
@pass_app
def clean(app: App, *, where: str | None, dry_run: bool, output: Output) -> None:
    """Clean the leads again by today's rules, for instance after the workspace's country was set.

    \b
    Example:
      sfactl lead clean --dry-run
    """
    from sfactl.leads import usecases

    result = usecases.clean_leads(app.session(dry_run=dry_run), where=where)
    output.emit(result, human=lambda: cleaned_lines(result))


@group.command()
@click.argument("sources", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Pull from all sources.")
@click.option("--pages", type=click.IntRange(min=0), default=0, metavar="N", help="At most N pages of each source.")
@click.option("--minutes", type=click.FloatRange(min=0), default=0, metavar="M", help="At most M minutes a source.")
@click.option("--since", metavar="WHEN", help="All that changed from a date or time on, pulled before or not.")
@options.dry_run
@options.output
@pass_app
def pull(
    app: App,
    sources: tuple[str, ...],
    *,
    every: bool,
    pages: int,
    minutes: float,
    since: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Pull new and changed leads from SOURCES, the files in sources/.

    Every page is committed together with the place to go on from. A source that fails does not stop the others: the
    exit code is 3 then, and each is listed with what was kept.

    \b
    Example:
      sfactl lead pull web-forms --since 2026-11-01
      sfactl lead pull --all --minutes 5
    """
    if bool(sources) == every:
        raise click.UsageError("Name the sources to pull from, or say --all.")
    from sfactl.leads import usecases

    result = usecases.pull(
        app.session(dry_run=dry_run), sources, every=every, pages=pages, minutes=minutes, since=since
    )
    failed_all = result.failed == len(result.sources) == 1 and not result.rows
    partly = result.failed or result.rejected
    output.emit(result, human=lambda: pulled_lines(result), exit_code=1 if failed_all else 3 if partly else 0)


for commands in (lead_dedupe, lead_enrich, lead_lifecycle, lead_link, lead_next, lead_pool, lead_refer):
    commands.register(group)
lead_merge.register(group, "lead")
