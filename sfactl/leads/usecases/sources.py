"""The sources of a workspace: list, show, check, begin a new one, and forget how far one was pulled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sfactl.api.errors import ConfigError, NotFound, SfactlError, UserError
from sfactl.config.objects import build
from sfactl.host.target import imported
from sfactl.leads.files.options import FileOptions
from sfactl.leads.mapping import load_mapping
from sfactl.leads.model import LeadMapping, NewSource, PastPull, SourceCheck, SourceDetail, SourceReset, SourceRow
from sfactl.leads.source_file import skeleton
from sfactl.session import Session

OURS = ("mapping", "event", "max_pages", "max_minutes", "schedule")
"""Keys of a source's file that are the core's, beside ``use``."""
SHOWN = 60


def list_sources(session: Session) -> tuple[SourceRow, ...]:
    """The sources of the workspace, how far each was pulled, and when."""
    pulled = _last_pulls(session)
    rows = []
    for name in session.settings.sources:
        try:
            table = session.settings.sources[name]
        except ConfigError as err:
            rows.append(SourceRow(source=name, use="", problem=err.message))
            continue
        cursor = session.workspace.cursor(cursor_name(name))
        rows.append(SourceRow(source=name, use=str(table["use"]), pulled=pulled.get(name), cursor=_short(cursor)))
    return tuple(rows)


def _last_pulls(session: Session) -> dict[str, str]:
    with session.query() as query:
        found = query.rows("select source, max(imports.at) from imports where kind = 'pull' group by source")
    return {str(name): at.isoformat(sep=" ", timespec="minutes") for name, at in found}


def show_source(session: Session, name: str) -> SourceDetail:
    """One source: its settings as its file says them, its cursor, and its last pulls. Raises `NotFound`."""
    table = table_of(session, name)
    with session.query() as query:
        rows = query.rows(
            'select imports."at", "rows", new, updated, unchanged, rejected from imports'
            " where kind = 'pull' and source = $name order by 1 desc limit 10",
            {"name": name},
        )
    pulls = tuple(
        PastPull(at=at, rows=n, new=new, updated=up, unchanged=same, rejected=bad) for at, n, new, up, same, bad in rows
    )
    settings = {k: v for k, v in table.items() if k not in ("schema", "use")}
    cursor = session.workspace.cursor(cursor_name(name))
    return SourceDetail(source=name, use=str(table["use"]), settings=settings, cursor=cursor, pulls=pulls)


def check_sources(session: Session, names: Sequence[str] = ()) -> tuple[SourceCheck, ...]:
    """Ask each source whether it answers, without pulling. Raises `NotFound` for a name that does not exist."""
    checks = []
    for name in names or tuple(session.settings.sources):
        use = ""
        if name not in session.settings.sources:
            table_of(session, name)
        try:
            table = table_of(session, name)
            use = str(table["use"])
            mapping_of(session, name, table)
            report = source_of(session, name, table).check()
        except SfactlError as err:
            checks.append(SourceCheck(source=name, use=use, ok=False, problems=(err.message,)))
            continue
        problems = tuple(report.problems)
        checks.append(SourceCheck(source=name, use=use, ok=not problems, facts=dict(report.facts), problems=problems))
    return tuple(checks)


def new_source(session: Session, name: str, *, use: str) -> NewSource:
    """Write ``sources/NAME.toml`` for the offer ``use``, every setting in it with its default as a comment.

    Raises `UserError` where the file is there already or the name cannot be one, `NotFound` for an unknown offer.
    """
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise UserError(f"{name!r} cannot name a source", hint="Use letters, digits, - and _.")
    path = session.folder / "sources" / f"{name}.toml"
    if path.exists():
        raise UserError(f"sources/{name}.toml is there already", hint="Edit it, or choose another name.")
    offer = session.host.find("lead_source", use).offer
    settings = imported(offer.settings) if offer.settings else None
    text = skeleton(use, offer.summary, settings, offer.secrets)
    if not session.dry_run:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return NewSource(source=name, use=use, file=f"sources/{name}.toml", dry_run=session.dry_run)


def reset_source(session: Session, name: str) -> SourceReset:
    """Forget how far ``name`` was pulled; the next pull begins at the start.

    Leads stay: what comes again is matched by its keys and adds nothing. Undoing the commit brings the cursor back.
    """
    cursor = session.workspace.cursor(cursor_name(name))
    if cursor is None:
        if name not in session.settings.sources:
            table_of(session, name)
        return SourceReset(source=name, cursor=None, dry_run=session.dry_run)
    with session.write(reason=f"reset source {name}") as tx:
        tx.set_cursor(cursor_name(name), None)
        commit = tx.commit(source=name).seq
    return SourceReset(source=name, cursor=cursor, dry_run=session.dry_run, commit=commit)


def table_of(session: Session, name: str) -> Mapping[str, Any]:
    """The file of the source as a table. Raises `NotFound`."""
    try:
        return session.settings.sources[name]
    except KeyError:
        known = ", ".join(session.settings.sources) or "none yet"
        raise NotFound(f"there is no source {name!r}", hint=f"sources/*.toml: {known}") from None


def mapping_of(session: Session, name: str, table: Mapping[str, Any]) -> LeadMapping | None:
    """The source's mapping: a table in its file, or the name of a mapping."""
    said = table.get("mapping")
    if said is None or isinstance(said, str):
        return load_mapping(said, session.folder)
    where = f"sources/{name}.toml"
    mapping = build(LeadMapping, said, where=where, path="mapping", inject={"name": name})
    if mapping.file != FileOptions(time_zone=mapping.file.time_zone, day_month_order=mapping.file.day_month_order):
        raise ConfigError(f"{where}: mapping.file: a source gives rows; only time_zone and day_month_order apply")
    return mapping


def source_of(session: Session, name: str, table: Mapping[str, Any]) -> Any:
    """The plugin's object, ready to pull. Raises `ConfigError` or `PluginError`."""
    settings = {k: v for k, v in table.items() if k not in OURS}
    return session.host.make("lead_source", str(table["use"]), settings, where=f"sources/{name}.toml")


def check_own(table: Mapping[str, Any], where: str) -> None:
    """Check the keys of a source's file that are the core's. Raises `ConfigError`."""
    for key in ("max_pages", "max_minutes"):
        limit_of(table, key, where)
    for key in ("event", "schedule"):
        if not isinstance(table.get(key, ""), str):
            raise ConfigError(f"{where}: {key}: {table[key]!r} is not a text")
    if not isinstance(table.get("mapping", ""), str | Mapping):
        raise ConfigError(f"{where}: mapping: {table['mapping']!r} is neither a name nor a table")


def limit_of(table: Mapping[str, Any], key: str, where: str) -> float:
    """``max_pages`` or ``max_minutes``; 0 where the file sets none. Raises `ConfigError`."""
    said = table.get(key, 0)
    if isinstance(said, bool) or not isinstance(said, int | float) or said < 0:
        raise ConfigError(f"{where}: {key}: {said!r} is not a number from 0", hint="0 means no limit.")
    return float(said)


def cursor_name(name: str) -> str:
    """Under which name the cursor of a source is kept."""
    return f"source:{name}"


def _short(cursor: Mapping[str, Any] | None) -> str | None:
    if cursor is None:
        return None
    text = json.dumps(cursor, ensure_ascii=False)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
