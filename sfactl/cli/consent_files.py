"""``sfactl consent import``, ``suppressed`` and ``import-suppressed``: consents and lists of addresses from files."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app


def register(group: click.Group) -> None:
    """Add the commands to ``group``."""
    for command in (import_, suppressed, import_suppressed):
        group.add_command(command)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--topic", metavar="NAME", default="", help="The topic of rows that name none [default: all mail].")
@click.option(
    "--state",
    type=click.Choice(["granted", "asked", "withdrawn"]),
    default=None,
    help="What rows say that have no column state.",
)
@click.option("--evidence", metavar="TEXT", default="", help="How you know, where a row does not say it.")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App,
    *,
    file: Path,
    topic: str,
    state: str | None,
    evidence: str,
    encoding: str,
    dry_run: bool,
    output: Output,
) -> None:
    """Import what people said from a CSV file: columns lead, email or phone; state; and topic, at, evidence.

    The same file again adds nothing. A day without a time is one of the workspace's zone.

    \b
    Example:
      sfactl consent import expo.csv --topic news --state granted
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases
    from sfactl.consent.model import House
    from sfactl.consent.words import Reading

    session = app.session(dry_run=dry_run)
    settings = session.settings
    House(touch=settings.touch, topics=settings.topics).terms(topic, where="--topic")
    reading = Reading(
        topics=settings.topics,
        now=session.now(),
        zone=session.zone,
        country=settings.workspace.country,
        topic=topic,
        state=state or "",
        evidence=evidence or file.name,
    )
    done = usecases.import_words(session, file, reading=reading, encoding=encoding)
    lines = consent_lines.imported_lines(done, file.name)
    output.emit(done, human=lambda: lines, exit_code=3 if done.rejected else 0)


@click.command()
@click.option("--scope", metavar="NAME", default="", help="Only what is listed for all, a campaign or a topic.")
@click.option("--reason", metavar="TEXT", default="", help="Only what is listed for this reason.")
@options.limit(50)
@options.as_of
@options.output
@pass_app
def suppressed(app: App, *, scope: str, reason: str, limit: int, as_of: str | None, output: Output) -> None:
    """List the addresses that nobody may write to; add --format csv --limit 0 to hand the list on.

    \b
    Example:
      sfactl consent suppressed --reason complaint
      sfactl consent suppressed --limit 0 --format csv --output list.csv
    """
    from sfactl.consent import usecases

    output.emit(usecases.suppressed(app.session(as_of=as_of), scope=scope, reason=reason, limit=limit))


@click.command("import-suppressed")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--scope", metavar="NAME", default="all", show_default=True, help="all, a campaign or a topic.")
@click.option("--reason", metavar="TEXT", default="imported", show_default=True, help="Why, in a word.")
@options.dry_run
@options.output
@pass_app
def import_suppressed(app: App, *, file: Path, scope: str, reason: str, dry_run: bool, output: Output) -> None:
    """Put the addresses in FILE on the list: one a line, or a column named address.

    Hashes (MD5, SHA-1 or SHA-256 in hexadecimal) are compared with those of our addresses and never turned back.

    \b
    Example:
      sfactl consent import-suppressed robinson.txt --reason "robinson list"
    """
    from sfactl.cli import consent_lines
    from sfactl.consent import usecases

    done = usecases.import_list(app.session(dry_run=dry_run), file, scope=scope, reason=reason)
    output.emit(done, human=lambda: consent_lines.list_lines(done), exit_code=3 if done.rejected else 0)
