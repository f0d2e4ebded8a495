"""``sfactl data``: what is stored, its history, and its care."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from sfactl.cli import options, tables
from sfactl.cli.app import App, Output, pass_app
from sfactl.cli.times import local

if TYPE_CHECKING:
    from sfactl.session import Session
    from sfactl.workspace import Author
    from sfactl.workspace.history import LogEntry
    from sfactl.workspace.undo import Undone


@click.group()
def group() -> None:
    """Data: what is stored, its history, and its care."""


@group.command("list")
@options.as_of
@options.output
@pass_app
def list_(app: App, as_of: str | None, output: Output) -> None:
    """List the datasets that have rows.

    \b
    Example:
      sfactl data list
      sfactl data list --as-of 2026-11-01
    """
    import pyarrow as pa

    from sfactl.workspace.snapshot import live_files

    session = app.session(as_of=as_of)
    workspace = session.workspace
    seq = session.seq(as_of)
    rows = []
    with session.query(seq) as q:
        files = live_files(workspace.manifest, q.seq)
        for name in sorted({f.dataset for f in files}):
            mine = [f for f in files if f.dataset == name]
            count = (q.one(f'select count(*)::bigint from "{name}"') or (0,))[0]
            schema = workspace.schemas[name]
            size = sum(f.bytes for f in mine)
            rows.append((name, count, len(mine), size, schema.kind, schema.row))
    names = ("dataset", "rows", "files", "bytes", "kind", "one_row_is")
    output.emit(pa.table({n: [r[i] for r in rows] for i, n in enumerate(names)}))


@group.command()
@click.argument("dataset")
@options.output
@pass_app
def schema(app: App, dataset: str, output: Output) -> None:
    """Show the columns of DATASET, custom fields included.

    \b
    Example:
      sfactl data schema leads
    """
    found = app.session().workspace.schemas[dataset]
    output.emit(found.columns)


@group.command()
@click.argument("dataset")
@options.as_of
@options.output
@pass_app
def files(app: App, dataset: str, as_of: str | None, output: Output) -> None:
    """List the Parquet files of DATASET, for other programs to read.

    Of a state dataset, a row in a later delta file replaces the row with the same key.

    \b
    Example:
      sfactl data files leads --format csv
    """
    import pyarrow as pa

    session = app.session()
    found = session.workspace.snapshot(session.seq(as_of)).files(session.workspace.schemas[dataset].name)
    columns = {
        "path": [str(session.workspace.private / f.path) for f in found],
        "kind": [f.kind for f in found],
        "rows": [f.rows for f in found],
        "bytes": [f.bytes for f in found],
        "commit": [f.added_seq for f in found],
    }
    output.emit(pa.table(columns))


@group.command()
@click.option("--dataset", help="Only commits that touched this dataset.")
@click.option("--all", "everything", is_flag=True, help="Merges of files too.")
@options.limit(20)
@options.output
@pass_app
def log(app: App, dataset: str | None, everything: bool, limit: int, output: Output) -> None:
    """List the newest commits: who changed what, when and why.

    \b
    Example:
      sfactl data log
      sfactl data log --dataset leads --limit 5
    """
    from sfactl.workspace import history

    session = app.session()
    if dataset:
        dataset = session.workspace.schemas[dataset].name
    found = tuple(history.log(session.workspace, limit=limit or -1, dataset=dataset, everything=everything))
    output.emit(found, human=lambda: _log_lines(session, found))


@group.command()
@click.argument("commit", type=int)
@options.output
@pass_app
def show(app: App, commit: int, output: Output) -> None:
    """Show what COMMIT did.

    \b
    Example:
      sfactl data show 17
    """
    from sfactl.workspace import history

    session = app.session()
    entry = history.entry(session.workspace, commit)
    changed = history.changes(session.workspace, commit - 1, commit)
    output.emit(entry, human=lambda: [*_log_lines(session, (entry,)), "", *_change_lines(changed)])


@group.command()
@click.argument("old")
@click.argument("new", required=False)
@click.option("--dataset", help="Show the rows of this dataset, field by field.")
@options.limit(100)
@options.output
@pass_app
def diff(app: App, old: str, new: str | None, dataset: str | None, limit: int, output: Output) -> None:
    """Compare the data at OLD and NEW (default: now): commit numbers, dates or times.

    \b
    Example:
      sfactl data diff 2026-11-01
      sfactl data diff 17 18 --dataset leads
    """
    from sfactl.workspace import history

    session = app.session()
    workspace = session.workspace
    a = session.seq(old) or 0
    b = workspace.head() if new is None else session.seq(new) or 0
    for seq in (a, b):
        workspace.snapshot(seq)
    if dataset:
        output.emit(history.changed_rows(workspace, a, b, dataset, limit=limit or 2**62))
        return
    found = tuple(history.changes(workspace, a, b))
    output.emit(found, human=lambda: [f"Commit {a} → {b}", *_change_lines(found)])


@group.command()
@click.argument("dataset")
@click.argument("key", nargs=-1, required=True)
@options.output
@pass_app
def history(app: App, dataset: str, key: tuple[str, ...], output: Output) -> None:
    """Show every change of the row of DATASET with KEY: when, by whom, old and new.

    \b
    Example:
      sfactl data history leads 8841
      sfactl data history scores 8841 intent
    """
    from sfactl.api.errors import UserError
    from sfactl.workspace.history import row_history

    session = app.session()
    found = session.workspace.schemas[dataset]
    if len(key) != len(found.key):
        raise UserError(f"{dataset} has the key {' '.join(found.key)}; {len(key)} values were given")
    typed = [int(k) if found.types[c] == "bigint" and k.isdigit() else k for c, k in zip(found.key, key, strict=True)]
    output.emit(tuple(row_history(session.workspace, dataset, typed)))


@group.command()
@click.option("--quick", is_flag=True, help="Check sizes, not contents.")
@options.output
@pass_app
def verify(app: App, quick: bool, output: Output) -> None:
    """Check that every file of every version is there, whole and in order.

    \b
    Example:
      sfactl data verify
    """
    from sfactl.workspace.verify import verify as check

    result = check(app.session().workspace, quick=quick)

    def human() -> Iterable[str]:
        yield f"{result.commits:,} commits · {result.files:,} files · {result.bytes:,} bytes · {result.rows:,} rows"
        yield from (f"✗ {p}" for p in result.problems)
        if result.orphans:
            yield f"{result.orphans} files belong to no commit (left by a crash, harmless). Remove: sfactl data gc"
        if not result.problems:
            yield "Clean." if not quick else "Clean, as far as sizes tell."

    output.emit(result, human=human, exit_code=1 if result.problems else 0)


@group.command()
@click.argument("datasets", nargs=-1)
@click.option("--full", is_flag=True, help="Make one file of each dataset, not only of the small ones.")
@options.dry_run
@options.output
@pass_app
def compact(app: App, datasets: tuple[str, ...], full: bool, dry_run: bool, output: Output) -> None:
    """Merge small files, so that reading stays fast. History stays as it is.

    This also happens by itself after a command that leaves many small files.

    \b
    Example:
      sfactl data compact --full leads
    """
    from sfactl.workspace.compaction import compact_all, crowded
    from sfactl.workspace.snapshot import live_files

    session = app.session(dry_run=dry_run)
    workspace = session.workspace
    known = {f.dataset for f in live_files(workspace.manifest, workspace.head())}
    chosen = sorted(workspace.schemas[d].name for d in datasets) if datasets else sorted(known)
    if dry_run:
        result = tuple(crowded(workspace, chosen, full=full))
    else:
        result = tuple(compact_all(workspace, _author(session), chosen, full=full))
    word = "Would merge" if dry_run else "Merged"

    def human() -> Iterable[str]:
        for c in result:
            yield f"{word} {c.dataset}: {c.files_before} files → {c.files_after}"
        if not result:
            yield "Nothing to merge."

    output.emit(result, human=human)


@group.command()
@click.option("--grace", default=60, show_default=True, metavar="MINUTES", help="Leave younger files alone.")
@options.dry_run
@options.output
@pass_app
def gc(app: App, grace: int, dry_run: bool, output: Output) -> None:
    """Remove files that crashed processes left behind. Nothing that was committed is touched.

    \b
    Example:
      sfactl data gc
    """
    from sfactl.workspace.collect import collect

    result = collect(app.session(dry_run=dry_run).workspace, grace_s=grace * 60, dry_run=dry_run)

    def human() -> Iterable[str]:
        yield f"{'Would remove' if dry_run else 'Removed'} {result.removed} files, {result.bytes:,} bytes."
        if result.kept:
            yield f"{result.kept} younger than {grace} minutes were left: a running command may still need them."

    output.emit(result, human=human)


@group.command()
@click.argument("commit", type=int)
@options.dry_run
@options.output
@pass_app
def undo(app: App, commit: int, dry_run: bool, output: Output) -> None:
    """Undo COMMIT by a new commit that puts back what was there before.

    Rows that were changed again since are not touched: then nothing is done and they are named. An undo can be undone.

    \b
    Example:
      sfactl data undo 17 --dry-run
      sfactl data undo 17
    """
    from sfactl.workspace.undo import undo as take_back

    session = app.session(dry_run=dry_run)
    result = take_back(session.workspace, _author(session), commit, dry_run=dry_run)
    output.emit(result, human=lambda: _undo_lines(result))


@group.command()
@click.argument("datasets", nargs=-1)
@click.option("--format", "form", type=click.Choice(["delta"]), default="delta", help="Kind of table.")
@options.dry_run
@pass_app
def publish(app: App, datasets: tuple[str, ...], form: str, dry_run: bool) -> None:
    """Register DATASETS (default: all) as Delta tables over the same files, for other engines to read.

    \b
    Example:
      sfactl data publish --format delta leads
    """
    from sfactl.workspace.publish import publish_delta
    from sfactl.workspace.snapshot import live_files

    session = app.session(dry_run=dry_run)
    workspace = session.workspace
    known = {f.dataset for f in live_files(workspace.manifest, workspace.head())}
    chosen = [workspace.schemas[d].name for d in datasets] if datasets else sorted(known)
    if dry_run:
        click.echo(f"Would publish as {form}: {', '.join(chosen) or 'nothing'}")
        return
    for done in publish_delta(workspace, _author(session), chosen):
        click.echo(f"{done.dataset}: {done.rows:,} rows in {done.files} files, {form} table {done.table}")


@group.command()
@options.yes
@options.dry_run
@pass_app
def adopt(app: App, yes: bool, dry_run: bool) -> None:
    """Declare a copied or restored workspace to be the one that may send.

    A copy, or a backup that was put back, refuses to send messages and orders: what it was made of may have sent
    them, or send them still.

    \b
    Example:
      sfactl data adopt --yes
    """
    session = app.session(dry_run=dry_run)
    if not session.workspace.is_copy:
        click.echo("This is not a copy. Nothing to do.")
        return
    if not yes and not dry_run:
        click.confirm("Is the workspace it was made of out of use, and what it sent since settled?", abort=True)
    if dry_run:
        click.echo("Would adopt this workspace.")
        return
    click.echo(f"Adopted. This is now the workspace that may send (epoch {session.workspace.adopt()}).")


def _author(session: Session) -> Author:
    from sfactl.workspace import Author

    return Author(actor=session.actor, command=session.command, run_id=session.run_id, at=session.now())


def _log_lines(session: Session, entries: Iterable[LogEntry]) -> Iterable[str]:
    rows = []
    for e in entries:
        at = local(e.at, session.zone)
        what = " · ".join(f"{name} {n:,}" for name, n in e.datasets.items())
        why = e.reason or ""
        if e.undoes:
            why = f"undoes {e.undoes}"
        if e.undone_by:
            why = f"{why} (undone by {e.undone_by})".strip()
        rows.append([e.seq, at, e.actor, e.command, what, why])
    if not rows:
        return ["No commits yet."]
    return tables.table(["commit", "at", "actor", "command", "rows written", "why"], rows, fit=tables.terminal_width())


def _change_lines(changes: Iterable[object]) -> Iterable[str]:
    found = list(changes)
    if not found:
        return ["No rows differ."]
    rows = [[getattr(c, n) for n in ("dataset", "added", "changed", "removed")] for c in found]
    return tables.table(["dataset", "added", "changed", "removed"], rows)


def _undo_lines(result: Undone) -> Iterable[str]:
    if result.commit is None:
        yield f"Dry run: nothing is written. Undoing commit {result.undone} would:"
    else:
        yield f"Commit {result.commit} undoes commit {result.undone}:"
    for name in result.restored:
        yield f"  {name}: {result.restored[name]:,} put back · {result.removed[name]:,} taken out"
    if result.commit is not None:
        yield f"Undo this with: sfactl data undo {result.commit}"
