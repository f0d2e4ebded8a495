"""The commands ``merge``, ``unmerge`` and ``merges``, the same for leads, accounts and contacts."""

from __future__ import annotations

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.merge_lines import merged_lines, unmerged_lines

MERGE = """Merge {entity}s into one, with everything that is attached to them.

The converted, fullest, oldest one stays unless --into names another. Each field is chosen by a rule; --dry-run shows
every field, the record it comes from and why, and what is attached to each. The old numbers lead to the survivor from
then on. Nothing is lost: `sfactl {entity} unmerge` takes all of it back.

\b
Example:
  sfactl {entity} merge 8841 8842 --dry-run
  sfactl {entity} merge 8841 8842 --into 8841 --field {field}=8842
"""

UNMERGE = """Undo a merge: REF is its number, or the merged record as in {entity}:8841.

Both records and all that moved are again as they were. What was changed since stays with the survivor and is listed.

\b
Example:
  sfactl {entity} unmerge 12
  sfactl {entity} unmerge {entity}:8841 --dry-run
"""

MERGES = """List merges, the newest first.

\b
Example:
  sfactl {entity} merges
  sfactl {entity} merges --of 8841 --format csv
"""


def register(group: click.Group, entity: str) -> None:
    """Add the commands for ``entity`` to its group."""
    field = "name" if entity == "account" else "email"
    group.add_command(_merge(entity, MERGE.format(entity=entity, field=field)))
    group.add_command(_unmerge(entity, UNMERGE.format(entity=entity)))
    group.add_command(_merges(entity, MERGES.format(entity=entity)))


def _merge(entity: str, text: str) -> click.Command:
    @click.command("merge", help=text)
    @click.argument("refs", nargs=-1, required=True, metavar="REF REF…")
    @click.option("--into", metavar="REF", help="The one that stays.")
    @click.option(
        "--field", "fields", multiple=True, metavar="FIELD=REF", help="Take the value of this record; may be repeated."
    )
    @click.option("--reason", metavar="TEXT", help="Why, for the history.")
    @options.dry_run
    @options.output
    @pass_app
    def merge(
        app: App,
        refs: tuple[str, ...],
        *,
        into: str | None,
        fields: tuple[str, ...],
        reason: str | None,
        dry_run: bool,
        output: Output,
    ) -> None:
        picks = dict(f.partition("=")[::2] for f in fields)
        if any("=" not in f or not f.partition("=")[2] for f in fields):
            raise click.UsageError("Say --field FIELD=REF, for instance --field phone=8842.")
        from sfactl.identity.usecases.merge import merge as use_case

        result = use_case(app.session(dry_run=dry_run), entity, refs, into=into, picks=picks, reason=reason)
        output.emit(result, human=lambda: merged_lines(result))

    return merge


def _unmerge(entity: str, text: str) -> click.Command:
    @click.command("unmerge", help=text)
    @click.argument("ref")
    @click.option("--reason", metavar="TEXT", help="Why, for the history.")
    @options.dry_run
    @options.output
    @pass_app
    def unmerge(app: App, ref: str, *, reason: str | None, dry_run: bool, output: Output) -> None:
        from sfactl.identity.usecases.unmerge import unmerge as use_case

        result = use_case(app.session(dry_run=dry_run), entity, ref, reason=reason)
        output.emit(result, human=lambda: unmerged_lines(result))

    return unmerge


def _merges(entity: str, text: str) -> click.Command:
    @click.command("merges", help=text)
    @click.option("--of", "ref", metavar="REF", help="Only those that this record took part in.")
    @click.option("--plan", metavar="PLAN", help="Only those of this plan of duplicates.")
    @options.limit(50)
    @options.as_of
    @options.fail_empty
    @options.output
    @pass_app
    def merges(
        app: App,
        *,
        ref: str | None,
        plan: str | None,
        limit: int,
        as_of: str | None,
        fail_empty: bool,
        output: Output,
    ) -> None:
        from sfactl.identity.usecases.records import list_merges

        found = list_merges(app.session(as_of=as_of), entity, ref=ref, plan=plan, limit=limit)
        output.emit(found, exit_code=4 if fail_empty and not found else 0)

    return merges
