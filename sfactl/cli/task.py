"""``sfactl task``: what people have to do, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.tasks.model import TasksClosed, TasksMade

STATES = ("open", "done", "dropped", "all")
owner_option = click.option("--owner", default="", metavar="REP", help="Who is to do it [default: the lead's rep].")
kind_option = click.option("--kind", default="call", show_default=True, help="call, visit, follow_up …")
due_option = click.option("--due", default="", metavar="WHEN", help="'2 days' from now, a date or a time.")
content_option = click.option("--content", default="", metavar="TEXT", help="What there is to know about it.")


@click.group()
def group() -> None:
    """Tasks: calls, visits and other work for people."""


@group.command("list")
@click.option("--owner", default="", metavar="REP", help="Only this rep's.")
@click.option("--kind", default="", help="Only of this kind.")
@click.option("--lead", default="", metavar="REF", help="Only about this lead: a number or an e-mail address.")
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True, help="Only in this state.")
@click.option("--late", is_flag=True, help="Only open ones that were due before now.")
@options.limit(50)
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(
    app: App,
    *,
    owner: str,
    kind: str,
    lead: str,
    state: str,
    late: bool,
    limit: int,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """List tasks, those due first on top.

    \b
    Example:
      sfactl task list --owner mei --late
    """
    from sfactl.tasks import usecases

    found = usecases.list_tasks(app.session(as_of=as_of), state=state, owner=owner, kind=kind, lead=lead, late=late)
    exit_code = 4 if fail_empty and not found.num_rows else 0
    output.emit(found.slice(0, limit) if limit else found, exit_code=exit_code)


@group.command()
@click.argument("task")
@options.as_of
@options.output
@pass_app
def show(app: App, task: str, *, as_of: str | None, output: Output) -> None:
    """Show one TASK (the beginning of its id is enough) and whom it is about.

    \b
    Example:
      sfactl task show push.spring-calls.8841
    """
    from sfactl.tasks import usecases

    output.emit(usecases.show(app.session(as_of=as_of), task))


@group.command()
@click.argument("title")
@click.option("--lead", default="", metavar="REF", help="Whom it is about: a number or an e-mail address.")
@owner_option
@kind_option
@due_option
@content_option
@options.dry_run
@options.output
@pass_app
def add(
    app: App,
    title: str,
    *,
    lead: str,
    owner: str,
    kind: str,
    due: str,
    content: str,
    dry_run: bool,
    output: Output,
) -> None:
    """Make one task.

    \b
    Example:
      sfactl task add "Send the drawings" --lead 8841 --owner mei --due "2 days"
    """
    from sfactl.tasks import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.add(session, title, lead=lead, owner=owner, kind=kind, due=due, content=content)
    output.emit(done, human=lambda: made_lines(done))


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.dry_run
@options.output
@pass_app
def import_(app: App, *, file: Path, dry_run: bool, output: Output) -> None:
    """Make the tasks of a CSV FILE.

    Its columns are key, title, kind, lead, owner, due, content and type; only title must be there. The same file again
    makes nothing. A row with a key changes its task as long as it is open. Rows that cannot be taken are listed, the
    others are made.

    \b
    Example:
      sfactl task import visits.csv --dry-run
    """
    from sfactl.tasks import usecases

    done = usecases.import_tasks(app.session(dry_run=dry_run), file)
    output.emit(done, human=lambda: made_lines(done), exit_code=3 if done.rejected else 0)


@group.command()
@click.argument("name")
@click.argument("title")
@click.option("--segment", required=True, metavar="NAME", help="For whom.")
@owner_option
@kind_option
@due_option
@content_option
@options.dry_run
@options.output
@pass_app
def push(
    app: App,
    name: str,
    title: str,
    *,
    segment: str,
    owner: str,
    kind: str,
    due: str,
    content: str,
    dry_run: bool,
    output: Output,
) -> None:
    """Make a task for every member of a segment, under a NAME of your choice.

    The same NAME again makes tasks only for members who have none of it yet.

    \b
    Example:
      sfactl task push spring-calls "Call about spring" --segment hot-b2b
    """
    from sfactl.tasks import usecases

    session = app.session(dry_run=dry_run)
    done = usecases.push(session, name, segment, title, owner=owner, kind=kind, due=due, content=content)
    output.emit(done, human=lambda: made_lines(done))


@group.command()
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@click.option("--result", default="", metavar="TEXT", help="What came of it.")
@options.dry_run
@options.output
@pass_app
def done(app: App, tasks: tuple[str, ...], *, result: str, dry_run: bool, output: Output) -> None:
    """Say that tasks are done. The beginning of an id is enough.

    \b
    Example:
      sfactl task done push.spring-calls.8841 --result "wants a quote"
    """
    from sfactl.tasks import usecases

    closed = usecases.close(app.session(dry_run=dry_run), tasks, "done", result=result)
    output.emit(closed, human=lambda: closed_lines(closed))


@group.command()
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@click.option("--reason", default="", metavar="TEXT", help="Why.")
@options.dry_run
@options.output
@pass_app
def drop(app: App, tasks: tuple[str, ...], *, reason: str, dry_run: bool, output: Output) -> None:
    """Say that tasks will not be done.

    \b
    Example:
      sfactl task drop push.spring-calls.8841 --reason "left the company"
    """
    from sfactl.tasks import usecases

    closed = usecases.close(app.session(dry_run=dry_run), tasks, "dropped", result=reason)
    output.emit(closed, human=lambda: closed_lines(closed))


@group.command()
@click.argument("tasks", nargs=-1, required=True, metavar="TASK...")
@click.option("--to", "owner", required=True, metavar="REP", help="Who is to do them.")
@options.dry_run
@options.output
@pass_app
def give(app: App, tasks: tuple[str, ...], *, owner: str, dry_run: bool, output: Output) -> None:
    """Give open tasks to another rep.

    \b
    Example:
      sfactl task give push.spring-calls.8841 --to ken
    """
    from sfactl.tasks import usecases

    given = usecases.give(app.session(dry_run=dry_run), tasks, owner)
    output.emit(given, human=lambda: closed_lines(given))


def made_lines(made: TasksMade) -> Iterator[str]:
    """Tasks that were made."""
    if made.dry_run:
        yield "Dry run: nothing is written."
    parts = [f"{made.new:,} new", f"{made.changed:,} changed", f"{made.known:,} as they were"]
    parts += [f"{made.closed:,} over already"] if made.closed else []
    parts += [f"{len(made.rejected):,} rejected"] if made.rejected else []
    asked = made.new + made.changed + made.known + made.closed + len(made.rejected)
    yield f"{count(asked, 'task')} for {count(made.owners, 'rep')} · {' · '.join(parts)}"
    for row in made.rejected[:10]:
        yield f"  row {row.row}: {row.reason}"
    if len(made.rejected) > 10:
        yield f"  … and {len(made.rejected) - 10:,} more: --format jsonl"
    if made.without_owner:
        yield f"{count(made.without_owner, 'task')} without an owner: the lead has no rep. See: sfactl assign run"
    if made.commit:
        yield f"Commit {made.commit}. Undo with: sfactl data undo {made.commit}"


def closed_lines(closed: TasksClosed) -> Iterator[str]:
    """Tasks that were closed or given to somebody."""
    if closed.dry_run:
        yield "Dry run: nothing is written."
    what = f"with {closed.owner}" if closed.owner else closed.state
    same = f" ({closed.same:,} before)" if closed.same else ""
    yield f"{count(len(closed.task_ids), 'task')} {what} now{same}"
    if closed.commit:
        yield f"Commit {closed.commit}. Undo with: sfactl data undo {closed.commit}"
