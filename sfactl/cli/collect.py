"""``sfactl collect``: serve the links of messages and forms of web sites, and bring in what people did."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.touch_events import service_lines
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.collect.usecases.checking import Checked
    from sfactl.collect.usecases.importing import Imported
    from sfactl.collect.usecases.serving import Served


@click.group()
def group() -> None:
    """The collector: takes clicks, opens, unsubscribes and forms from the web, and brings them in."""


@group.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8480, show_default=True, help="Port; 0 for a free one.")
@click.option("--threads", type=click.IntRange(1, 256), default=32, show_default=True, help="Requests at a time.")
@options.dry_run
@options.output
@pass_app
def serve(app: App, *, host: str, port: int, threads: int, dry_run: bool, output: Output) -> None:
    """Serve the links that stand in messages, and the forms in forms/, until Ctrl-C or SIGTERM.

    What people do is written to disk before they are answered; bring it in with: sfactl collect import. Put a reverse
    proxy with TLS in front, and its address into [collect] url.

    \b
    Example:
      sfactl collect serve --port 8480
    """
    from sfactl.collect import usecases

    def started(served: Served) -> None:
        output.emit(served, human=lambda: _served_lines(served))
        sys.stdout.flush()

    usecases.serve(app.session(dry_run=dry_run), host=host, port=port, threads=threads, started=started)


def _served_lines(served: Served) -> Iterator[str]:
    yield f"{'Would listen' if served.dry_run else 'Listening'} at {served.address}"
    yield f"  known as {served.url or 'nothing yet: set [collect] url'}"
    yield f"  keeps what comes in {served.spool}"
    if served.forms:
        yield f"  forms: {', '.join(served.forms)}"
    if served.services:
        yield f"  services post to: {', '.join(served.services)}"
    if served.topics:
        yield f"  topics: {', '.join(served.topics)}"
    if served.surveys:
        yield f"  surveys: {', '.join(served.surveys)}"


@group.command("import")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@options.fail_empty
@options.dry_run
@options.output
@pass_app
def import_(app: App, folder: Path | None, *, fail_empty: bool, dry_run: bool, output: Output) -> None:
    """Bring in what was collected, each thing once: touchpoints, consents, and leads that filled in a form.

    Clicks and opens are taken when they are a minute old, so that scanners can be told from people: theirs become
    bot_click and bot_open, and count for nothing. FOLDER is a spool that was copied from elsewhere.

    \b
    Example:
      sfactl collect import --dry-run
      sfactl collect import
    """
    from sfactl.collect import usecases

    result = usecases.import_spool(app.session(dry_run=dry_run), folder)
    some = result.new or result.forms or result.services.new or result.surveys
    nothing = 4 if fail_empty and not some else 0
    output.emit(result, human=lambda: _imported_lines(result), exit_code=nothing if result.well else 3)


def _imported_lines(result: Imported) -> Iterator[str]:
    said = [
        f"{result.waiting:,} too young to judge" if result.waiting else "",
        f"{result.strangers:,} of leads that are not there" if result.strangers else "",
    ]
    yield " · ".join([count(result.new, "touchpoint"), *(text for text in said if text)])
    for row in result.kinds:
        yield f"  {row.kind:<12} {row.events:>7,}{f'  {row.reason}' if row.reason else ''}"
    for form in result.forms:
        yield f"  form {form.form}: " + (
            f"{form.problem}; {count(form.posts, 'posting')} wait"
            if form.problem
            else f"{count(form.posts, 'posting')} · {form.new:,} new · {form.updated:,} updated · "
            f"{form.rejected:,} rejected{f': {form.rejects_file}' if form.rejects_file else ''}"
            f"{f' · {form.asked:,} asked for a topic' if form.asked else ''}"
        )
    for survey in result.surveys:
        told = f" · {survey.known:,} known" if survey.known else ""
        lost = f" · {survey.strangers:,} of leads that are not there" if survey.strangers else ""
        yield f"  survey {survey.survey}: {count(survey.new, 'answer')}{told}{lost}"
    if result.services.events:
        first, *rest = service_lines(result.services)
        yield f"  services told of {first}"
        yield from (f"  {line}" for line in rest)
    for name in result.damaged:
        yield f"  {name} is damaged: what can be read was brought in, the file is kept as .damaged"
    if result.commit:
        yield f"Commit {result.commit}. Undo with: sfactl data undo {result.commit}"


@group.command()
@options.output
@pass_app
def check(app: App, *, output: Output) -> None:
    """Check the collector: settings, forms, disk, what waits to be brought in, and what was turned away.

    \b
    Example:
      sfactl collect check
    """
    from sfactl.collect import usecases

    result = usecases.check(app.session())
    output.emit(result, human=lambda: _checked_lines(result), exit_code=1 if result.problems else 0)


def _checked_lines(result: Checked) -> Iterator[str]:
    yield f"Known as      {result.url or '-'}"
    yield f"Spool         {result.spool}"
    yield f"Forms         {', '.join(result.forms) or '-'}"
    yield f"Serving       {'yes' if result.serving else 'no'}"
    yield f"Waiting       {count(result.waiting, 'record')}, {result.waiting_bytes / 1e6:,.1f} MB"
    yield f"Free disk     {result.free_bytes / 1e9:,.1f} GB"
    for what, n in sorted(result.counts.items()):
        yield f"  {what:<26} {n:>9,}"
    for problem in result.problems:
        yield f"Problem: {problem}"


import_module("sfactl.cli.collect_logs").register(group)
