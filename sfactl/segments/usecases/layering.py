"""Put customers into the classes of a layer, store what changed, and compare two times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import SfactlError, UserError
from sfactl.segments import layer_files
from sfactl.segments.layer_names import FOLDER, Kind
from sfactl.segments.layers import ClassSize, Fitted, Layer, LayerRun, Listed
from sfactl.segments.usecases.layer_tables import SQL, Computed, compute

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace.transaction import Transaction

LAYERS, EVENTS, MODELS, SHARES = "layers", "layer_events", "layer_models", "layer_shares"
FRESH = "layer_fresh"


def run(session: Session, kind: Kind, name: str | None = None) -> LayerRun:
    """Compute the layer ``name`` of ``kind`` as of now for all customers and store what changed.

    A preference stores the shares behind it as well, a lifecycle its parameters. Raises `NotFound`, `ConfigError`.
    """
    layer, at = named(session, kind, name), session.now()
    with session.write(LAYERS, MODELS, SHARES) as tx:
        found = compute(session, tx.query, layer, at, FRESH)
        params = {"layer": layer.name, "kind": kind, "value_name": found.value_name, "now": at}
        for table in ("changed", "gone"):
            sql = tx.query.statement(SQL, f"layer_{table}").format(fresh=FRESH)
            tx.query.run(f"create or replace temp table {table} as {sql}", params)
        result = _result(tx.query, layer, at, found)
        wrote = _store(session, tx, layer, found, params)
        if not wrote:
            return replace(result, dry_run=session.dry_run)
        commit = tx.commit(layer=layer.name, classes={size.name: size.customers for size in result.classes})
    return replace(result, dry_run=session.dry_run, commit=commit.seq)


def look(session: Session, kind: Kind, name: str | None = None, *, valid_at: str | None = None) -> LayerRun:
    """The same at ``--as-of``, or as of ``valid_at`` as known now, without storing anything."""
    layer, at = named(session, kind, name), moment(session, valid_at)
    with session.query() as query:
        found = compute(session, query, layer, at, FRESH)
        return replace(_result(query, layer, at, found), stored=False)


def customers(
    session: Session, kind: Kind, name: str | None = None, *, only: str | None = None, valid_at: str | None = None
) -> pa.Table:
    """Every customer with figures and class, by number; ``only`` those of one class. Nothing is stored."""
    layer, at = named(session, kind, name), moment(session, valid_at)
    with session.query() as query:
        found = compute(session, query, layer, at, FRESH)
        if only is not None:
            _check_class(query, found, layer, only)
        table = query.table(query.statement(SQL, "layer_members").format(fresh=FRESH), {"class": only})
    return table.rename_columns([found.value_name if column == "value" else column for column in table.column_names])


def transitions(session: Session, kind: Kind, name: str | None, start: str, end: str | None = None) -> pa.Table:
    """How many customers went from which class to which between two times: from_class, to_class, customers.

    Both times are computed from what is known now (or at ``--as-of``) and had happened by then; each is fitted to its
    own past. A class that is empty (null) stands for those who were not yet, or are no longer, in any.
    """
    import pyarrow as pa

    layer = named(session, kind, name)
    first, last = moment(session, start), moment(session, end)
    if first > last:
        raise UserError(f"--from {start} is later than --to {end or 'now'}")
    with session.query() as query:
        before = compute(session, query, layer, first, "layer_before")
        after = compute(session, query, layer, last, "layer_after")
        names = pa.array(dict.fromkeys((*before.classes, *after.classes)), pa.string())
        query.register("class_places", pa.table({"class": names, "place": list(range(len(names)))}))
        return query.table(query.statement(SQL, "layer_transitions"))


def list_layers(session: Session) -> tuple[Listed, ...]:
    """Every layer with a file or with stored customers, by name."""
    layers = layer_files.read_layers(session.folder)
    with session.query() as query:
        sql = f"select layer, kind, count(*), max(as_of) from {LAYERS} group by layer, kind"
        stored = {row[0]: row[1:] for row in query.rows(sql)}
    kinds: dict[str, Kind] = {name: layer.kind for name, layer in layers.items()}
    kinds |= {name: row[0] for name, row in stored.items() if name not in kinds}
    return tuple(
        Listed(
            layer=name,
            kind=kinds[name],
            customers=stored[name][1] if name in stored else None,
            as_of=stored[name][2] if name in stored else None,
            summary=layers[name].summary if name in layers else "",
        )
        for name in sorted(kinds)
    )


def check(session: Session) -> tuple[str, ...]:
    """What is wrong with the layer files; each layer is tried on no time at all, so that fields are checked too."""
    try:
        layers = layer_files.read_layers(session.folder)
    except SfactlError as err:
        return (err.message.replace(f"{session.folder}/", ""),)
    problems = []
    with session.query() as query:
        for layer in layers.values():
            try:
                compute(session, query, layer, datetime(1970, 1, 1), FRESH)
            except SfactlError as err:
                problems.append(f"{FOLDER}/{layer.name}.toml: {err.message}")
    return tuple(problems)


def named(session: Session, kind: Kind, name: str | None) -> Layer:
    """The layer ``name`` of ``kind``, or the only one. Raises `NotFound` or `UserError`."""
    return layer_files.chosen(layer_files.read_layers(session.folder), kind, name)


def moment(session: Session, text: str | None) -> datetime:
    """The time that ``text`` means; without one that of ``--as-of``, else now."""
    return session.as_of_time() if text is None else session.moment(text)


def _check_class(query: Query, found: Computed, layer: Layer, only: str) -> None:
    names = list(found.classes) or [
        row[0] for row in query.rows(f"select distinct class from {found.table} order by 1")
    ]
    if only not in names:
        from sfactl.engine.conditions.source import nearest

        raise UserError(f"layer {layer.name!r} has no class {only!r}.{nearest(only, names)}")


def _result(query: Query, layer: Layer, at: datetime, found: Computed) -> LayerRun:
    rows = {row[0]: row[1:] for row in query.rows(query.statement(SQL, "layer_sizes").format(fresh=found.table))}
    total = sum(row[0] for row in rows.values())
    names = list(found.classes) or sorted(rows, key=lambda name: (-rows[name][0], name))
    none = (0, None, None, None)
    return LayerRun(
        layer=layer.name,
        kind=layer.kind,
        at=at,
        customers=total,
        value_name=found.value_name,
        unit=found.unit,
        method=found.method,
        classes=tuple(
            ClassSize(
                name=name,
                customers=row[0],
                share=row[0] / total if total else 0.0,
                days=row[1],
                orders=row[2],
                value=row[3],
            )
            for name in names
            for row in [rows.get(name, none)]
        ),
        left_out=found.left_out,
        fitted=found.fitted,
    )


def _store(session: Session, tx: Transaction, layer: Layer, found: Computed, params: Mapping[str, Any]) -> bool:
    counted = tx.query.one("select (select count(*) from changed), (select count(*) from gone)") or (0, 0)
    moved = bool(counted[0] or counted[1])
    if moved:
        columns = ", ".join(session.workspace.schemas[LAYERS].types)
        tx.upsert(LAYERS, f"select {columns} from changed")
        tx.delete(LAYERS, "select layer, lead_id from gone")
        tx.append(EVENTS, tx.query.statement(SQL, "layer_events"), {**params, "run": session.run_id})
    shares = layer.kind == "preference" and _store_shares(tx, params)
    fitted = found.fitted is not None and _store_model(session, tx, layer, found.fitted, params["now"])
    return moved or shares or fitted


def _store_shares(tx: Transaction, params: Mapping[str, Any]) -> bool:
    own = "(select * from layer_shares where layer = $layer)"
    now = (
        "select $layer as layer, lead_id, category, cast(millionths / 1000000.0 as decimal(9, 6)) as share, weight,"
        " rows, $now as as_of from shares"
    )
    new = (
        f"select n.* from ({now}) as n left join {own} as s on s.lead_id = n.lead_id and s.category = n.category"
        " where s.lead_id is null or s.share <> n.share or s.rows <> n.rows or s.weight <> n.weight"
    )
    old = (
        f"select s.layer, s.lead_id, s.category from {own} as s left join shares as n on n.lead_id = s.lead_id"
        " and n.category = s.category where n.lead_id is null"
    )
    return bool(tx.upsert(SHARES, new, params) + tx.delete(SHARES, old, params))


def _store_model(session: Session, tx: Transaction, layer: Layer, fitted: Fitted, at: datetime) -> bool:
    """Keep the parameters unless the last ones are the same."""
    last = tx.query.one(
        f"select version, method, parameters, note from {MODELS} where layer = $layer order by version desc limit 1",
        {"layer": layer.name},
    )
    text = json.dumps(dict(fitted.parameters), sort_keys=True)
    if last is not None and last[1:] == (fitted.method, text, fitted.note):
        return False
    import pyarrow as pa

    row = {
        "layer": layer.name,
        "version": (last[0] if last else 0) + 1,
        "method": fitted.method,
        "at": at,
        "seq": tx.query.seq,
        "customers": fitted.customers,
        "repeaters": fitted.repeaters,
        "first_at": fitted.first_at,
        "last_at": fitted.last_at,
        "log_likelihood": fitted.log_likelihood,
        "parameters": text,
        "note": fitted.note,
    }
    return bool(tx.upsert(MODELS, pa.Table.from_pylist([row], schema=session.workspace.schemas[MODELS].arrow())))
