"""Import cases and their history from files of other systems: each case once, each move once, bad rows named.

What is imported is history: unless it is said otherwise, nobody is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import ConfigError, UserError
from sfactl.cases.rows import ROWS, allowed_moves, resolved_status, rows_sql, status_words
from sfactl.config.cases import CaseRules, read_cases
from sfactl.leads import rejects
from sfactl.leads.cleaning.clean import clean
from sfactl.leads.files.kinds import stage
from sfactl.leads.mapping import load_mapping
from sfactl.leads.model import LeadMapping, Plan, Reason
from sfactl.leads.usecases.imports import Order, bounded, defaults_of, make_plan, placed, reading_of, work_folder
from sfactl.session import Session

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.leads.files.staging import Staged
    from sfactl.workspace import Transaction

PACKAGE = "cases"
NOWHERE = "import"
"""Whose numbers these are where nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseImport:
    """What became of one file. ``events`` were added; ``of_nobody`` cases are of no lead that we know.

    ``not_allowed`` moves are history that ``cases.toml`` would not allow; ``example`` is the first.
    """

    file: str
    rows: int
    cases: int
    new: int
    changed: int
    unchanged: int
    events: int
    of_nobody: int
    rejected: int
    not_allowed: int = 0
    example: str = ""
    rejects_file: str | None = None
    reasons: tuple[Reason, ...] = ()
    mapped: Mapping[str, str]
    not_mapped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    dry_run: bool = False
    commit: int | None = None


def import_cases(
    session: Session,
    files: Sequence[Path],
    *,
    mapping: str | None = None,
    source: str | None = None,
    notify: bool = False,
) -> tuple[CaseImport, ...]:
    """Import cases from ``files``, one commit a file; the same file twice adds nothing, a grown one adds what is new.

    ``source`` says whose case numbers and customer ids these are, by default the mapping's name, else ``import``. With
    ``notify`` customers are told of what is new, as of any change. Raises `ConfigError` where no column is the case's
    number or its time, `DataError` for a file that cannot be read.
    """
    if not files:
        raise UserError("name at least one file", hint="sfactl case import FILE …")
    rules = read_cases(session.folder)
    read = load_mapping(mapping, session.folder, dataset="cases")
    space = source or (read.name if read else NOWHERE)
    order = Order(mapping=read, where=mapping or "mapping", pulled=space)
    return tuple(_import_one(session, path, order, rules, space, notify=notify) for path in files)


def _import_one(
    session: Session, path: Path, order: Order, rules: CaseRules, space: str, *, notify: bool
) -> CaseImport:
    with work_folder(session) as scratch, session.query() as query, bounded(query):
        staged = stage(reading_of(path, scratch, query, order, "cases"))
        plan = _plan(session, path, staged, order)
        cleaned = clean(query, staged, plan, scratch / "clean.parquet")
        with session.write("cases", reason=f"cases of {path.name}") as tx, bounded(tx.query):
            asked = {"space": space, "now": session.now()}
            tx.query.register("status_word", status_words(rules))
            tx.query.register("allowed_move", allowed_moves(rules))
            tx.query.run(f"create or replace temp table read_rows as {rows_sql(cleaned.source, cleaned.fields)}")
            tx.query.run(f"create or replace temp table every_row as {_sql(tx.query, 'import_rows')}", asked)
            tx.query.run("create or replace temp table good as select * from every_row where _reason is null")
            reasons = placed(tx.query, rejects.collect(tx.query, "every_row", "no number", "good"), staged)
            rejects_file = _write_rejects(session, tx.query, staged, path) if reasons else None
            told = _write(session, tx, rules, space, quiet=not notify)
            any_new = told["new"] + told["changed"] + told["events"]
            commit = tx.commit(rows=staged.rows, cases=told["new"], events=told["events"]).seq if any_new else None
            odd, example = tx.query.one(_sql(tx.query, "import_odd")) or (0, "")
    return CaseImport(
        file=path.name,
        rows=staged.rows,
        **told,
        not_allowed=odd,
        example=example or "",
        rejected=sum(r.rows for r in reasons),
        rejects_file=rejects_file,
        reasons=reasons,
        mapped={t.field: " + ".join(t.names) for t in plan.targets if t.names},
        not_mapped=tuple(c for c in plan.unmapped if c not in staged.empty),
        notes=(*staged.notes, *cleaned.notes),
        dry_run=session.dry_run,
        commit=commit,
    )


def _plan(session: Session, path: Path, staged: Staged, order: Order) -> Plan:
    mapping: LeadMapping | None = order.mapping
    plan = make_plan(ROWS, staged, defaults_of(session, path.name, order), mapping, reserved=())
    fields = {t.field for t in plan.targets}
    for needed, said in (("case_key", "the number of the case"), ("at", "when it was so")):
        if needed not in fields:
            raise ConfigError(
                f"{path.name}: no column is {said} (columns: {', '.join(staged.columns[:10])})",
                hint=f'Write mappings/NAME.toml: schema = 1, dataset = "cases", [columns] {needed} = "…"',
            )
    return replace(plan, keys=("row",))


def _write(session: Session, tx: Transaction, rules: CaseRules, space: str, *, quiet: bool) -> dict[str, int]:
    """Store what is new in the tables of the file; answers what there is to tell."""
    query, start = tx.query, rules.start
    query.run(f"create or replace temp table met as {_sql(query, 'import_cases')}", {"space": space})
    fresh = _number(query, "select count(*) from met where known_id is null")
    query.run(
        "create or replace temp table file_cases as select *, cast(coalesce(known_id, $first - 1 +"
        " row_number() over (partition by known_id is null order by opened_at, case_key)) as bigint) as case_id"
        " from met",
        {"first": session.reserve("case", fresh) if fresh else 1},
    )
    query.run(
        f"create or replace temp table moment as {_sql(query, 'import_moments')}",
        {"start": start.name, "start_state": start.state, "resolved": resolved_status(rules)},
    )
    query.run(
        f"create or replace temp table changed as {_sql(query, 'import_changed')}",
        {"space": space, "actor": session.actor},
    )
    changed = _number(query, "select count(*) from changed")
    query.run(
        f"create or replace temp table happened as {_sql(query, 'import_events')}",
        {"space": space, "actor": session.actor, "quiet": quiet},
    )
    events = _number(query, "select count(*) from happened")
    if changed:
        tx.upsert("cases", "select * exclude (is_new, is_changed) from changed")
    if events:
        tx.append(
            "case_events",
            "select * replace (cast(event_no + $before as bigint) as event_no) from happened",
            {"before": session.reserve("case_event", events) - 1},
        )
    cases = _number(query, "select count(*) from file_cases")
    return {
        "cases": cases,
        "new": fresh,
        "changed": changed - fresh,
        "unchanged": cases - changed,
        "events": events,
        "of_nobody": _number(query, "select count(*) from file_cases where lead_id is null"),
    }


def _write_rejects(session: Session, query: Query, staged: Staged, path: Path) -> str:
    into = session.folder / "rejects" / f"{path.stem}.csv"
    if not session.dry_run:
        rejects.write_rejects(query, staged, into)
    return f"rejects/{into.name}"


def _sql(query: Query, name: str) -> str:
    return query.statement(PACKAGE, name)


def _number(query: Query, sql: str) -> int:
    return int((query.one(sql) or (0,))[0])
