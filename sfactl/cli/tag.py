"""``sfactl tag``: what people, rules and texts say about leads, contacts and accounts."""

from __future__ import annotations

from pathlib import Path

import click

from sfactl.cli import options, tag_lines
from sfactl.cli.app import App, Output, pass_app


@click.group()
def group() -> None:
    """Tags: what people, rules and texts say about customers."""


def chosen(command: options.F) -> options.F:
    """``--segment`` and ``--where``: many leads instead of one REF."""
    for option in (
        click.option("--where", metavar="CONDITION", help="All leads that meet the condition, instead of REF."),
        click.option("--segment", metavar="NAME", help="All members of the segment, instead of REF."),
    ):
        command = option(command)
    return command


@group.command("set")
@click.argument("words", nargs=-1, required=True, metavar="REF TAG[=VALUE]…")
@chosen
@click.option("--source", default="manual", show_default=True, metavar="NAME", help="manual, rep …")
@click.option("--expires", metavar="WHEN", help="Until when: '90 days', or a day such as 2026-12-31.")
@click.option("--note", metavar="TEXT", help="Why, in words.")
@options.dry_run
@options.output
@pass_app
def set_(
    app: App,
    words: tuple[str, ...],
    *,
    segment: str | None,
    where: str | None,
    source: str,
    expires: str | None,
    note: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Give a lead, contact or account one or more tags. The author is you (--actor).

    Tags given by hand stay whatever rules say, until they expire or are removed.

    \b
    Example:
      sfactl tag set lead:8841 vip tier=gold --expires "1 year"
      sfactl tag set --segment hot-b2b autumn-offer
    """
    from sfactl.portrait.usecases import tagging

    refs, names = _refs(words, many=bool(segment or where))
    session = app.session(dry_run=dry_run)
    done = tagging.set_tags(
        session, refs, names, segment=segment, where=where, source=source, expires=expires, note=note
    )
    for name in done.new:
        session.note(f"{name} is a new tag.")
    output.emit(done, human=lambda: tag_lines.set_lines(done))


@group.command()
@click.argument("words", nargs=-1, required=True, metavar="REF TAG…")
@chosen
@click.option("--source", metavar="NAME", help="Only what this source said.")
@options.dry_run
@options.output
@pass_app
def remove(
    app: App,
    words: tuple[str, ...],
    *,
    segment: str | None,
    where: str | None,
    source: str | None,
    dry_run: bool,
    output: Output,
) -> None:
    """Take tags away that were given by hand. Tags of rules go when their rule says so.

    \b
    Example:
      sfactl tag remove lead:8841 vip
    """
    from sfactl.portrait.usecases import tagging

    refs, names = _refs(words, many=bool(segment or where))
    session = app.session(dry_run=dry_run)
    done = tagging.remove_tags(session, refs, names, segment=segment, where=where, source=source)
    output.emit(done, human=lambda: tag_lines.removed_lines(done))


@group.command("list")
@click.argument("ref", required=False)
@click.option("--tag", metavar="TAG", help="Who bears this tag.")
@click.option("--source", metavar="NAME", help="Only tags of this source.")
@click.option("--expired", is_flag=True, help="With REF: also tags that ended.")
@options.as_of
@options.fail_empty
@options.output
@pass_app
def list_(
    app: App,
    *,
    ref: str | None,
    tag: str | None,
    source: str | None,
    expired: bool,
    as_of: str | None,
    fail_empty: bool,
    output: Output,
) -> None:
    """List the tags of REF, who bears --tag, or all tags with how many bear them.

    \b
    Example:
      sfactl tag list
      sfactl tag list lead:8841 --as-of 2026-10-01
      sfactl tag list --tag vip --format csv
    """
    from sfactl.portrait.usecases import tagging

    if ref and tag:
        raise click.UsageError("Name either REF or --tag.")
    session = app.session(as_of=as_of)
    if ref:
        found = tagging.tags_of(session, ref, expired=expired)
    else:
        found = tagging.bearers_of(session, tag, source=source) if tag else tagging.list_tags(session, source=source)
    output.emit(found, exit_code=4 if fail_empty and not found.num_rows else 0)


@group.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def derive(app: App, *, file: Path | None, dry_run: bool, fail_empty: bool, output: Output) -> None:
    """Give and take tags by the rules of tags.toml and tags/, or of FILE alone.

    Tags that people gave are never touched.

    \b
    Example:
      sfactl tag derive --dry-run
      sfactl tag derive rules.toml
    """
    from sfactl.portrait.usecases import deriving

    done = deriving.derive(app.session(dry_run=dry_run), file)
    output.emit(
        done, human=lambda: tag_lines.derived_lines(done), exit_code=4 if fail_empty and not done.changed else 0
    )


@group.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", default="rep", show_default=True, metavar="NAME", help="What kind of people say it.")
@click.option("--author", metavar="NAME", help="Who says it, where the file does not [default: you].")
@click.option("--encoding", default="utf-8", show_default=True, help="Encoding of the file.")
@options.dry_run
@options.output
@pass_app
def import_(
    app: App, file: Path, *, source: str, author: str | None, encoding: str, dry_run: bool, output: Output
) -> None:
    """Import tags from a CSV file of reps: columns lead, email, contact or account; tag; and value, author, expires.

    \b
    Example:
      sfactl tag import visits.csv --source rep --author mei
    """
    from sfactl.portrait.usecases import tag_import

    done = tag_import.import_tags(app.session(dry_run=dry_run), file, source=source, author=author, encoding=encoding)
    output.emit(done, human=lambda: tag_lines.imported_lines(done), exit_code=3 if done.rejected else 0)


@group.command()
@click.argument("ref")
@click.argument("tag")
@options.as_of
@options.output
@pass_app
def explain(app: App, ref: str, tag: str, *, as_of: str | None, output: Output) -> None:
    """Say why REF bears TAG or not: who said it, what the rule says now, and the rows behind it.

    \b
    Example:
      sfactl tag explain lead:8841 laser-fan
    """
    from sfactl.portrait.usecases import explaining

    found = explaining.explain(app.session(as_of=as_of), ref, tag)
    output.emit(found, human=lambda: tag_lines.explained_lines(found))


@group.command()
@options.as_of
@options.fail_empty
@options.output
@pass_app
def conflicts(app: App, *, as_of: str | None, fail_empty: bool, output: Output) -> None:
    """List tags that people gave and what speaks against them: another value, a tag that excludes it, or a rule.

    \b
    Example:
      sfactl tag conflicts --format csv
    """
    from sfactl.portrait.usecases import tagging

    found = tagging.conflicts(app.session(as_of=as_of))
    output.emit(
        found, human=lambda: tag_lines.conflict_lines(found), exit_code=4 if fail_empty and not found.num_rows else 0
    )


@group.command()
@click.option("--extractor", default="keyword", show_default=True, metavar="NAME", help="A file in extractors/.")
@click.option("--since", metavar="WHEN", help="Only what was said since a date or a time.")
@click.option("--offline", is_flag=True, help="Ask nobody: use only the answers that are kept.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the answer on a batch of texts.",
)
@options.dry_run
@options.fail_empty
@options.output
@pass_app
def extract(
    app: App,
    *,
    extractor: str,
    since: str | None,
    offline: bool,
    timeout_s: float,
    dry_run: bool,
    fail_empty: bool,
    output: Output,
) -> None:
    """Find the intents of intents/ in what customers said and wrote, and tag by them.

    Each text is read once; its answer is kept, so that a repeat asks nobody and gives the same.

    \b
    Example:
      sfactl tag extract
      sfactl tag extract --extractor gpt --since 2026-11-01 --dry-run
    """
    from sfactl.portrait.usecases import extraction

    done = extraction.extract(
        app.session(dry_run=dry_run), extractor=extractor, since=since, offline=offline, timeout_s=timeout_s
    )
    partly = bool(done.failed) and not (offline or dry_run)
    nothing = fail_empty and not (done.added or done.removed or done.tags)
    output.emit(done, human=lambda: tag_lines.extracted_lines(done), exit_code=3 if partly else 4 if nothing else 0)


@group.command()
@options.output
@pass_app
def check(app: App, *, output: Output) -> None:
    """Check the rules of tags.toml and tags/ without running them.

    \b
    Example:
      sfactl tag check
    """
    from sfactl.portrait.usecases import deriving

    problems = deriving.check(app.session())
    output.emit({"problems": problems}, human=lambda: problems or ("All right.",), exit_code=2 if problems else 0)


def _refs(words: tuple[str, ...], *, many: bool) -> tuple[list[str], list[str]]:
    """The first word names whom it is about (several with commas), unless many were chosen another way."""
    if many:
        return [], list(words)
    if len(words) < 2:
        raise click.UsageError("Say REF and TAG, for instance lead:8841 vip; or --segment NAME and TAG.")
    return [ref for ref in words[0].split(",") if ref.strip()], list(words[1:])
