"""The commands ``sfactl lead next-action``: what to do next about each qualified lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.tables import pad, table, width
from sfactl.cli.tag_lines import committed, dry
from sfactl.cli.words import count

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.portrait.usecases.next_actions import Saved
    from sfactl.portrait.usecases.next_explained import ActionExplanation
    from sfactl.portrait.usecases.overriding import Overridden


def register(group: click.Group) -> None:
    """Add the commands to the group ``lead``."""
    group.add_command(next_action)


class SuggestFirst(click.Group):
    """A group whose first word may be a lead: then, and without words, it suggests."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, but what is no command is for ``suggest``."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["suggest", *args]
        return super().parse_args(ctx, args)


@click.group("next-action", cls=SuggestFirst)
def next_action() -> None:
    """What to do next about each qualified lead, by the rules of next_actions.toml.

    \b
    Example:
      sfactl lead next-action
      sfactl lead next-action lead:8841
    """


@next_action.command()
@click.argument("refs", nargs=-1, metavar="[REF…]")
@click.option("--segment", metavar="NAME", help="Only the members of the segment.")
@click.option("--save", is_flag=True, help="Keep the suggestions, so that they can be counted.")
@click.option("--create-tasks", is_flag=True, help="Keep them, and make a task of each.")
@options.limit(50)
@options.as_of
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def suggest(
    app: App,
    *,
    refs: tuple[str, ...],
    segment: str | None,
    save: bool,
    create_tasks: bool,
    limit: int,
    as_of: str | None,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Suggest one action for each qualified lead, with the rule and the reason.

    \b
    Example:
      sfactl lead next-action suggest --segment hot-b2b
      sfactl lead next-action --create-tasks --dry-run
    """
    from sfactl.portrait.usecases import next_actions

    if save or create_tasks:
        if as_of:
            raise click.UsageError("What is kept is about now: leave --as-of out.")
        done = next_actions.save(app.session(dry_run=dry_run), refs, segment=segment, create_tasks=create_tasks)
        nothing = fail_empty and not (done.suggested or done.withdrawn or done.tasks)
        output.emit(done, human=lambda: _saved(done), exit_code=4 if nothing else 0)
        return
    session = app.session(as_of=as_of)
    found = next_actions.suggest(session, refs, segment=segment)
    every = found.num_rows
    if limit and every > limit:
        found = found.slice(0, limit)
        session.note(f"{limit:,} of {every:,} leads; see all with --limit 0")
    output.emit(found, human=lambda: _suggested(found), exit_code=4 if fail_empty and not every else 0)


@next_action.command("set")
@click.argument("ref")
@click.argument("action")
@click.option("--reason", required=True, metavar="TEXT", help="Why not what the rule says.")
@click.option("--due", metavar="PERIOD", help="Until when, for instance '2 days' [default: the file's].")
@options.dry_run
@options.output
@pass_app
def set_(app: App, ref: str, action: str, *, reason: str, due: str | None, dry_run: bool, output: Output) -> None:
    """Set the next ACTION of a lead against the rules. It stands until it is taken up or cleared, and is counted.

    \b
    Example:
      sfactl lead next-action set lead:8841 call --reason "asked to be called"
    """
    from sfactl.portrait.usecases import overriding

    done = overriding.override(app.session(dry_run=dry_run), ref, action, reason=reason, due=due)
    output.emit(done, human=lambda: _overridden(done))


@next_action.command()
@click.argument("ref")
@options.dry_run
@options.output
@pass_app
def clear(app: App, ref: str, *, dry_run: bool, output: Output) -> None:
    """Take back what somebody set for a lead; the rules decide again.

    \b
    Example:
      sfactl lead next-action clear lead:8841
    """
    from sfactl.portrait.usecases import overriding

    done = overriding.clear(app.session(dry_run=dry_run), ref)
    output.emit(
        done,
        human=lambda: [*dry(done.dry_run), f"lead:{done.lead_id}: the rules decide again", *committed(done.commit)],
    )


@next_action.command()
@click.argument("ref")
@options.as_of
@options.output
@pass_app
def explain(app: App, ref: str, *, as_of: str | None, output: Output) -> None:
    """Say why this rule decides for a lead and not an earlier one.

    \b
    Example:
      sfactl lead next-action explain lead:8841
    """
    from sfactl.portrait.usecases.next_explained import explain as explained

    found = explained(app.session(as_of=as_of), ref)
    output.emit(found, human=lambda: _explained(found))


@next_action.command("report")
@options.as_of
@options.output
@pass_app
def report(app: App, *, as_of: str | None, output: Output) -> None:
    """Count by rule how many suggestions were taken up, overridden and ignored.

    \b
    Example:
      sfactl lead next-action report
    """
    from sfactl.portrait.usecases import next_actions

    output.emit(next_actions.statistics(app.session(as_of=as_of)))


def _suggested(found: pa.Table) -> Iterator[str]:
    if not found.num_rows:
        yield "No qualified lead. Run: sfactl lead qualify"
        return
    rows = [
        [
            f"lead:{row['lead_id']}",
            row["name"] or row["company"] or "",
            row["action"],
            f"{row['due_at']:%Y-%m-%d}",
            row["owner"] or "",
            f"{row['rule']} by {row['actor']}" if row["actor"] else row["rule"],
            row["reason"],
        ]
        for row in found.to_pylist()
    ]
    yield from table(["lead", "name", "action", "due", "owner", "rule", "why"], rows)


def _saved(done: Saved) -> Iterator[str]:
    yield from dry(done.dry_run)
    longest = max((width(rule) for rule in done.by_rule), default=0)
    for rule, leads in done.by_rule.items():
        yield f"  {pad(rule, longest)}  {pad(count(leads, 'lead'), 13, right=True)}"
    said = [f"{done.suggested:,} suggested", f"{done.standing:,} standing"]
    said += [f"{done.withdrawn:,} withdrawn"] if done.withdrawn else []
    said += [f"{done.tasks:,} tasks made"] if done.tasks else []
    yield " · ".join(said) if done.leads or done.withdrawn else "No qualified lead. Run: sfactl lead qualify"
    yield from committed(done.commit)


def _overridden(done: Overridden) -> Iterator[str]:
    yield from dry(done.dry_run)
    if not done.changed:
        yield f"lead:{done.lead_id}: {done.action} was set already. Nothing to do."
        return
    yield f"lead:{done.lead_id}: {done.action} instead of what rule {done.rule} says"
    yield from committed(done.commit)


def _explained(found: ActionExplanation) -> Iterator[str]:
    until = f"{found.action} until {found.due_at:%Y-%m-%d}"
    yield f"{found.name or 'Unnamed'} · lead:{found.lead_id} · {found.stage}: {until}"
    by = f"set by {found.actor}" if found.actor else f"rule {found.rule}"
    yield f"  {by}, since {found.since:%Y-%m-%d %H:%M}: {found.reason}"
    longest = max(width(rule.rule) for rule in found.rules)
    for number, rule in enumerate(found.rules, 1):
        mark = "→" if rule.decides else " "
        yield f"{mark} {number:>2}  {pad(rule.rule, longest)}  {rule.because}"
