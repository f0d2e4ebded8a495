"""Add a deal, change it, move it through its stages, close it, and tell its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.config.stages import Pipeline, Stage, is_empty, pipeline_of, read_pipelines
from sfactl.engine.money import minor_digits
from sfactl.opportunities.deals import as_text, changes, number, value_of
from sfactl.opportunities.model import Deal, DealChanged, DealsMoved, FieldChange, HistoryRow
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

CHANGED = ("opportunities", "stage_events", "field_events", "buying_roles")
PREFIXES = ("opp", "opportunity")


def add(
    session: Session,
    name: str,
    given: Mapping[str, Any],
    *,
    pipeline: str | None = None,
    stage: str | None = None,
) -> DealChanged:
    """Add a deal with the fields ``given`` (typed values); it begins in the first open stage unless ``stage`` says.

    Raises `PolicyError` naming the field that the stage asks for, `NotFound` for an unknown account or contact.
    """
    chosen = pipeline_of(read_pipelines(session.folder), pipeline)
    entered = chosen.stage(stage) if stage else chosen.first
    with session.write(*CHANGED) as tx:
        row: dict[str, Any] = {
            "name": name,
            "currency": session.settings.workspace.currency,
            "cycle_no": 1,
            "created_at": session.now(),
        }
        row |= {field: value for field, value in given.items() if value is not None}
        row = _checked(tx.query, row)
        if missing := [f for f in chosen.required(None, entered) if is_empty(row.get(f))]:
            raise PolicyError(f"{chosen.name}: to enter {entered.name}, {', '.join(missing)} must be filled")
        row["opportunity_id"] = session.reserve("opportunity")
        row |= {"pipeline": chosen.name, "updated_at": session.now()}
        row |= _in_stage(session, entered, row.get("probability"))
        _write(session, tx, [row], [(row, None, entered.name, None)], [])
        commit = tx.commit(opportunity=row["opportunity_id"])
    return _changed(row, session.dry_run, commit.seq)


def change(session: Session, ref: str, values: Mapping[str, str]) -> DealChanged:
    """Set fields of a deal from text; each change leaves a row of history with old and new."""
    types = session.workspace.schemas["opportunities"].types
    typed = {field: value_of(field, text, types) for field, text in values.items()}
    with session.write(*CHANGED) as tx:
        old = find(tx.query, ref)
        new = {**old, **_checked(tx.query, typed)}
        done = changes(old, new)
        if not done:
            return _changed(old, session.dry_run, None)
        new["updated_at"] = session.now()
        _write(session, tx, [new], [], [(new, done)])
        commit = tx.commit(opportunity=new["opportunity_id"], fields=[c.field for c in done])
    return _changed(new, session.dry_run, commit.seq, done=done)


def move(
    session: Session,
    refs: Sequence[str],
    stage: str,
    *,
    values: Mapping[str, str] | None = None,
    reason: str | None = None,
) -> DealsMoved:
    """Move deals to ``stage``, setting ``values`` on the way. All move or none.

    Raises `PolicyError` naming the rule, or the fields that must be filled.
    """
    types = session.workspace.schemas["opportunities"].types
    typed = {field: value_of(field, text, types) for field, text in (values or {}).items()}
    return _move(session, refs, lambda _: stage, typed, reason)


def close(
    session: Session,
    refs: Sequence[str],
    *,
    won: bool,
    stage: str | None = None,
    reason: str | None = None,
    amount: Decimal | None = None,
) -> DealsMoved:
    """Close deals as won or lost, in the pipeline's first stage of that kind unless ``stage`` says.

    A loss needs a reason, one of the pipeline's where it lists any. Raises `PolicyError`.
    """
    if not won and not (reason or "").strip():
        raise UserError("a deal is not lost without a reason", hint="Add --reason TEXT.")
    category = "won" if won else "lost"
    typed: dict[str, Any] = {} if amount is None else {"amount": amount}
    if not won:
        typed["lost_reason"] = reason

    def target(pipeline: Pipeline) -> str:
        if not won:
            pipeline.check_loss_reason(str(reason))
        if stage is not None and pipeline.stage(stage).category != category:
            raise UserError(f"stage {stage} of {pipeline.name} is {pipeline.stage(stage).category}, not {category}")
        return stage or pipeline.of(category)[0].name

    return _move(session, refs, target, typed, reason)


def _move(
    session: Session, refs: Sequence[str], target: Any, typed: Mapping[str, Any], reason: str | None
) -> DealsMoved:
    pipelines = read_pipelines(session.folder)
    with session.write(*CHANGED) as tx:
        typed = _checked(tx.query, typed)
        rows, moves, fields, deals = [], [], [], []
        for old in {row["opportunity_id"]: row for row in (find(tx.query, ref) for ref in refs)}.values():
            pipeline = pipeline_of(pipelines, old["pipeline"])
            wanted = {**old, **typed}
            try:
                entered = pipeline.check_move(old["stage"], target(pipeline), wanted)
            except PolicyError as err:
                raise PolicyError(f"opp:{old['opportunity_id']}: {err.message}", hint=err.hint) from None
            new = {**wanted, "updated_at": session.now(), **_in_stage(session, entered, typed.get("probability"))}
            if entered.category != "lost":
                new["lost_reason"] = None
            done = _told(changes(old, new), pipeline.stage(old["stage"]), entered)
            rows.append(new)
            moves.append((new, old["stage"], entered.name, reason))
            fields.append((new, done))
            deals.append(_changed(new, session.dry_run, None, from_stage=old["stage"], done=done))
        _write(session, tx, rows, moves, fields)
        _carry_roles(tx, rows)
        seq = tx.commit(moved=len(rows)).seq
    return DealsMoved(moved=len(rows), deals=tuple(deals), dry_run=session.dry_run, commit=seq)


def _told(done: Iterable[FieldChange], left: Stage, entered: Stage) -> tuple[FieldChange, ...]:
    """Leave out a probability that only followed the stage."""
    followed = (as_text(left.probability), as_text(entered.probability))
    return tuple(c for c in done if c.field != "probability" or (c.old, c.new) != followed)


def _in_stage(session: Session, stage: Stage, own: float | None) -> dict[str, Any]:
    """The fields that follow from the stage; a probability of one's own counts only in an open one."""
    return {
        "stage": stage.name,
        "category": stage.category,
        "probability": stage.probability if own is None or stage.category != "open" else own,
        "closed_at": None if stage.category == "open" else session.now(),
    }


def show(session: Session, ref: str) -> Deal:
    """One deal with its people, where it may go next and what that needs, and its history."""
    with session.query() as query:
        row = find(query, ref)
        pipeline = pipeline_of(read_pipelines(session.folder), row["pipeline"])
        account = query.get("accounts", row["account_id"]) if row["account_id"] is not None else None
        contact = query.get("contacts", row["contact_id"]) if row["contact_id"] is not None else None
        here = pipeline.stage(row["stage"])
        open_ends = [s.name for s in pipeline.stages if s.name != here.name] if here.category == "open" else []
        following = here.moves or tuple(open_ends)
        missing = {
            name: tuple(f for f in pipeline.required(here, pipeline.stage(name)) if is_empty(row.get(f)))
            for name in following
        }
        return Deal(
            opportunity_id=row["opportunity_id"],
            fields=row,
            account=account["name"] if account else None,
            contact=contact["full_name"] if contact else None,
            next_stages=following,
            missing={name: fields for name, fields in missing.items() if fields},
            history=_history(query, row["opportunity_id"]),
        )


def history(session: Session, ref: str) -> tuple[HistoryRow, ...]:
    """All changes of one deal, the oldest first."""
    with session.query() as query:
        return _history(query, find(query, ref)["opportunity_id"])


def history_table(session: Session, ref: str) -> pa.Table:
    """`history` as a table: at, field, old, new, actor, cause, and the days spent in the stage left."""
    with session.query() as query:
        wanted = {"id": find(query, ref)["opportunity_id"]}
        return query.table(query.statement("opportunities", "history"), wanted).rename_columns(
            ["at", "field", "old", "new", "actor", "cause", "days"]
        )


def _history(query: Query, opportunity_id: int) -> tuple[HistoryRow, ...]:
    rows = query.rows(query.statement("opportunities", "history"), {"id": opportunity_id})
    return tuple(HistoryRow(at=r[0], field=r[1], old=r[2], new=r[3], actor=r[4], cause=r[5], days=r[6]) for r in rows)


def find(query: Query, ref: str) -> dict[str, Any]:
    """The row of the deal that ``ref`` names. Raises `NotFound`."""
    wanted = number(ref, *PREFIXES)
    row = query.get("opportunities", wanted)
    if row is None:
        raise NotFound(f"there is no opportunity {wanted}", hint="See: sfactl opp list")
    return row


def _carry_roles(tx: Transaction, deals: Sequence[Mapping[str, Any]]) -> None:
    """Let the buying centres of ``deals`` say how these stand now."""
    import pyarrow as pa

    columns = {
        "opportunity_id": pa.array([d["opportunity_id"] for d in deals], pa.int64()),
        "category": pa.array([d["category"] for d in deals], pa.string()),
        "updated_at": pa.array([d["updated_at"] for d in deals], pa.timestamp("us")),
    }
    tx.query.register("moved_deals", pa.table(columns))
    tx.upsert(
        "buying_roles",
        "select r.* replace (m.category as outcome, m.updated_at as since) from buying_roles r"
        " join moved_deals m on m.opportunity_id = r.opportunity_id where r.outcome is distinct from m.category",
    )


def _checked(query: Query, row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` with the records that merged numbers mean now. A currency must be one, and an account, contact, lead or
    rep that a deal names must be there."""
    if "currency" in row:
        minor_digits(str(row["currency"]))
    named = dict(row)
    for entity, dataset in (("account", "accounts"), ("contact", "contacts"), ("lead", "leads")):
        field = f"{entity}_id"
        if row.get(field) is not None:
            named[field] = living(query, entity, row[field])
            if query.get(dataset, named[field]) is None:
                raise NotFound(f"{field}: there is no {entity} {row[field]}")
    if row.get("owner") is not None and query.get("reps", row["owner"]) is None:
        raise NotFound(f"owner: there is no rep {row['owner']}")
    return named


def _write(
    session: Session,
    tx: Transaction,
    rows: Sequence[Mapping[str, Any]],
    moves: Sequence[tuple[Mapping[str, Any], str | None, str, str | None]],
    fields: Sequence[tuple[Mapping[str, Any], Sequence[FieldChange]]],
) -> None:
    """Write whole rows, the moves (row, from, to, reason) and the changes of fields."""
    import pyarrow as pa

    schemas = session.workspace.schemas
    tx.upsert("opportunities", pa.Table.from_pylist(list(rows), schema=schemas["opportunities"].arrow()))
    told = {"at": session.now(), "entity": "opportunity", "actor": session.actor}
    moved = [
        {
            **told,
            "event_id": f"opportunity:{row['opportunity_id']}:{tx.query.seq:012}",
            "entity_id": row["opportunity_id"],
            "from_stage": old,
            "to_stage": new,
            "cause": session.command,
            "reason": reason,
        }
        for row, old, new, reason in moves
    ]
    changed = [
        {
            **told,
            "event_id": f"opportunity:{row['opportunity_id']}:{tx.query.seq:012}:{change.field}",
            "entity_id": row["opportunity_id"],
            "field": change.field,
            "old_value": change.old,
            "new_value": change.new,
            "cause": session.command,
        }
        for row, done in fields
        for change in done
    ]
    for dataset, events in (("stage_events", moved), ("field_events", changed)):
        if events:
            tx.append(dataset, pa.Table.from_pylist(events, schema=schemas[dataset].arrow()))


def _changed(
    row: Mapping[str, Any],
    dry_run: bool,
    commit: int | None,
    *,
    from_stage: str | None = None,
    done: Sequence[FieldChange] = (),
) -> DealChanged:
    return DealChanged(
        opportunity_id=row["opportunity_id"],
        name=row["name"],
        stage=row["stage"],
        category=row["category"],
        probability=row["probability"],
        from_stage=from_stage,
        changes=tuple(done),
        dry_run=dry_run,
        commit=commit,
    )
