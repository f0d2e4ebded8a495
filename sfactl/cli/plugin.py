"""``sfactl plugin``: see which plugins there are, whether they are in order, and begin a new one."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sfactl.cli import options
from sfactl.cli.app import App, Output, pass_app

if TYPE_CHECKING:
    from sfactl.host import Host, PluginInfo
    from sfactl.host.conformance import PluginReport

MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}
KINDS = ("lead-source", "scoring", "sender", "erp")


@click.group()
def group() -> None:
    """Plugins: list, check, make."""


def open_host(app: App, *, slow_s: float | None = None, notes: bool = True) -> Host:
    """The plugins as this call sees them, inside a workspace or not."""
    from sfactl.api.errors import NotFound
    from sfactl.host import Host

    folder, disabled = None, app.no_plugins
    try:
        folder = app.folder()
        disabled = app.settings().plugins.disabled
    except NotFound:
        if app.workspace is not None:
            raise
    more: dict[str, Any] = {} if slow_s is None else {"slow_s": slow_s}
    if notes and not app.quiet:
        more["on_note"] = lambda text: click.echo(text, err=True)
    return Host(folder=folder, disabled=disabled, **more)


slow = click.option(
    "--slow", "slow_s", type=click.FloatRange(min=0), default=1.0, show_default=True, metavar="SECONDS",
    help="Call a plugin slow that takes longer to load.",
)  # fmt: skip


@group.command("list")
@slow
@options.output
@pass_app
def list_(app: App, *, slow_s: float, output: Output) -> None:
    """List the plugins that are installed, what they offer, and which are broken, slow or in each other's way.

    \b
    Example:
      sfactl plugin list
      sfactl plugin list --format json
    """
    import pyarrow as pa

    from sfactl.cli import tables

    host = open_host(app, slow_s=slow_s, notes=False)
    infos = host.plugins()
    rows = [_row(info) for info in infos]
    table = pa.Table.from_pylist(rows, schema=pa.schema([(name, _COLUMNS[name]()) for name in _COLUMNS]))

    def human() -> list[str]:
        names = ["plugin", "distribution", "version", "state", "offers"]
        lines = tables.table(names, [[row[n] for n in names] for row in rows], fit=tables.terminal_width())
        troubled = [row for row in rows if row["problem"]]
        lines += [f"{row['plugin']}: {row['problem']}" for row in troubled]
        lines += [f"{name}: is disabled, but not installed" for name in host.not_installed]
        return [*lines, "More: sfactl plugin check NAME"] if troubled else lines

    output.emit(table, human=human)


def _text() -> Any:
    import pyarrow as pa

    return pa.string()


def _number() -> Any:
    import pyarrow as pa

    return pa.float64()


_COLUMNS = {
    "plugin": _text, "distribution": _text, "version": _text, "state": _text, "offers": _text, "notices": _text,
    "load_s": _number, "problem": _text,
}  # fmt: skip


def _row(info: PluginInfo) -> dict[str, Any]:
    clashes = [] if info.origin.builtin else [clash.message for clash in info.clashes]
    load_s = info.import_s + info.ask_s
    state = info.state
    if state == "ok":
        state = "clash" if clashes else "slow" if info.slow else "ok"  # type: ignore[assignment]
    problems = [f"{fault.stage}: {fault.message}" for fault in (*info.faults, *info.earlier[-1:])]
    problems += clashes + [f"took {load_s:.1f} s to load"] * (info.slow and info.state != "disabled")
    return {
        "plugin": info.origin.name,
        "distribution": "built in" if info.origin.builtin else info.origin.dist,
        "version": info.origin.version,
        "state": state,
        "offers": ", ".join(f"{found.offer.kind}:{found.offer.name}" for found in info.found),
        "notices": ", ".join(info.notices),
        "load_s": round(load_s, 4),
        "problem": "; ".join(problems),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """What ``plugin check`` found."""

    ok: int
    failed: int
    plugins: tuple[PluginReport, ...]


@group.command()
@click.argument("name", required=False)
@slow
@options.output
@pass_app
def check(app: App, name: str | None, *, slow_s: float, output: Output) -> None:
    """Check every plugin, or the plugin or distribution NAME, against the contract. Nothing is pulled or sent.

    \b
    Example:
      sfactl plugin check
      sfactl plugin check sfactl-source-http
    """
    from sfactl.host.conformance import report_on

    infos = _chosen(open_host(app, slow_s=slow_s, notes=False).plugins(), name)
    reports = tuple(report_on(info) for info in infos)
    failed = sum(not report.ok for report in reports)
    result = CheckResult(ok=len(reports) - failed, failed=failed, plugins=reports)

    def human() -> list[str]:
        lines = [line for report in reports for line in _lines(report)]
        for fault in (fault for info in infos if name for fault in (*info.faults, *info.earlier)):
            lines += ["", f"{fault.stage}:", *(f"  {line}" for line in fault.traceback.rstrip().splitlines())]
        return [*lines, "", _summary(result)]

    output.emit(result, human=human, exit_code=0 if not failed else 3 if result.ok else 1)


def _chosen(infos: tuple[PluginInfo, ...], name: str | None) -> list[PluginInfo]:
    from sfactl.api.errors import NotFound

    if name is None:
        return [info for info in infos if info.state != "disabled"]
    chosen = [info for info in infos if name in {info.origin.name, info.origin.dist}]
    if not chosen:
        known = [n for info in infos for n in (info.origin.name, info.origin.dist)]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"Did you mean {near[0]}?" if near else "See: sfactl plugin list"
        raise NotFound(f"there is no plugin {name!r}", hint=hint)
    return chosen


def _lines(report: PluginReport) -> list[str]:
    wide = max((len(check.what) for check in report.checks), default=0)
    head = f"{report.plugin} ({report.distribution} {report.version})"
    return [head, *(f"  {MARKS[c.verdict]} {c.what:<{wide}}  {c.detail}".rstrip() for c in report.checks)]


def _summary(result: CheckResult) -> str:
    total = result.ok + result.failed
    if result.failed:
        who = ", ".join(report.plugin for report in result.plugins if not report.ok)
        return f"{result.failed} of {total} failed: {who}. The others can be used."
    return "In order." if total == 1 else f"All {total} plugins are in order."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResult:
    """What ``plugin new`` wrote."""

    distribution: str
    folder: str
    files: tuple[str, ...]


@group.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option("--dir", "parent", type=click.Path(path_type=Path, file_okay=False), default=".", help="Where to put it.")
@options.dry_run
@options.output
def new(kind: str, name: str, *, parent: Path, dry_run: bool, output: Output) -> None:
    """Begin a plugin of KIND called NAME: a distribution that installs, with tests that pass.

    \b
    Example:
      sfactl plugin new lead-source expo
      sfactl plugin new sender line --dir ~/plugins
    """
    from sfactl.host.scaffold import new_plugin

    made = new_plugin(kind, name, parent, dry_run=dry_run)
    result = NewResult(distribution=made.distribution, folder=str(made.folder), files=made.files)

    def human() -> list[str]:
        head = "Would create" if dry_run else "Created"
        return [
            f"{head} {made.folder} with {len(made.files)} files: {', '.join(made.files)}",
            f"Next: pip install -e '{made.folder}[test]'",
            f"      pytest {made.folder}",
            f"      sfactl plugin check {made.distribution}",
        ]

    output.emit(result, human=human)
