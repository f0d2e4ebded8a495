"""Undo a merge: both records, and every row that went from one to the other, are again what they were."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.identity import moving, restoring, survivorship, unmerging
from sfactl.identity.answers import LaterChange, UnmergeResult
from sfactl.identity.unmerging import Merge, Row
from sfactl.identity.usecases.performing import writing
from sfactl.schemas.references import ENTITIES
from sfactl.workspace.aliases import ALIASES, living

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.schemas import Dataset
    from sfactl.session import Session
    from sfactl.workspace import Transaction


def unmerge(session: Session, entity: str, ref: str, *, reason: str | None = None) -> UnmergeResult:
    """Undo the merge ``ref``: its number, or ``lead:ID`` for the one that took that record.

    What was changed since stays with the survivor and is listed; events that carry the old number go back by
    themselves. Raises `NotFound`, or `UserError` for a merge that was undone already or a record with several.
    """
    with writing(session, entity, reason=reason) as tx:
        row = _stored(tx.query, entity, ref)
        back = _Back(session, tx, entity, row)
        result = back.perform()
        commit = tx.commit(entity=entity, merge=back.merge.merge_id, record=back.merge.merged_id).seq
    return UnmergeResult(**result, commit=commit, dry_run=session.dry_run)


def _stored(query: Query, entity: str, ref: str) -> dict[str, Any]:
    """The row of the merge that is meant."""
    text = ref.strip()
    numbered = text.isascii() and text.isdigit() and len(text) < 19
    row = query.get("merges", int(text)) if numbered else _of_record(query, entity, text)
    if row is None or row["entity"] != entity:
        raise NotFound(f"there is no merge {ref!r} of {entity}s", hint=f"See: sfactl {entity} merges")
    if row["state"] != "merged":
        raise UserError(
            f"merge {row['merge_id']} was undone on {row['undone_at']:%Y-%m-%d %H:%M} by {row['undone_by']}",
            hint=f"See: sfactl {entity} merges",
        )
    return row


def _of_record(query: Query, entity: str, text: str) -> dict[str, Any] | None:
    number = text.removeprefix(f"{entity}:")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise UserError(f"{text!r} is no merge", hint=f"Name its number, or the record, as in {entity}:8841")
    alias = query.get(ALIASES, entity, int(number))
    if alias is not None:
        return query.get("merges", int(alias["merge_id"]))
    sql = (
        "select merge_id from merges where entity = $entity and survivor_id = $number and state = 'merged'"
        " order by merge_id"
    )
    found = [int(r[0]) for r in query.rows(sql, {"entity": entity, "number": int(number)})]
    if not found:
        raise NotFound(f"{entity} {number} was never merged", hint=f"See: sfactl {entity} merges")
    if len(found) > 1:
        listed = ", ".join(map(str, found[:10])) + (" …" if len(found) > 10 else "")
        raise UserError(f"{entity} {number} took part in {len(found)} merges: {listed}", hint="Name one by its number.")
    return query.get("merges", found[0])


class _Back:
    """One merge on its way back."""

    def __init__(self, session: Session, tx: Transaction, entity: str, row: dict[str, Any]) -> None:
        self.merge = unmerging.read_merge(row)
        self._session = session
        self._tx = tx
        self._entity = entity
        self._stored = {self.merge.merge_id: row}
        self._dataset: Dataset = session.workspace.schemas[ENTITIES[entity][0]]
        self._key = ENTITIES[entity][1]
        self._root = living(tx.query, entity, self.merge.survivor_id)
        self._restored: dict[str, int] = {}
        self._stayed: dict[str, int] = {}
        self._status: dict[int, str | None] = {}
        self._forgotten: list[tuple[int, str, Mapping[str, str], str]] = []

    def perform(self) -> dict[str, Any]:
        """Stage all of it; answers what an `UnmergeResult` says of it."""
        query = self._tx.query
        query.run("create or replace temp table notes as select * from merge_moves where merge_id = $id", self._id)
        rewritten, kept = self._survivor()
        self._follow()
        self._record()
        self._rows()
        self._stored_references(rewritten)
        into = self._aliases()
        self._history(rewritten)
        if self._entity == "lead":
            self._stages(into)
        return {
            "entity": self._entity,
            "merge_id": self.merge.merge_id,
            "record_id": self.merge.merged_id,
            "survivor_id": self._root,
            "restored": self._restored,
            "stayed": self._stayed,
            "kept": kept,
        }

    @property
    def _id(self) -> dict[str, int]:
        return {"id": self.merge.merge_id}

    def _survivor(self) -> tuple[dict[int, Merge], tuple[LaterChange, ...]]:
        """Take the merge out of the living record and of the merges made since."""
        query = self._tx.query
        sql = (
            "select * from merges where entity = $entity and state = 'merged' and merge_id <> $id and"
            f" (survivor_id = $root or survivor_id in (select id from {ALIASES} where entity = $entity"
            " and root_id = $root)) order by merge_id"
        )
        params = {"entity": self._entity, "root": self._root, **self._id}
        rows = query.table(sql, params).to_pylist()
        self._stored |= {int(r["merge_id"]): r for r in rows}
        history = [unmerging.read_merge(r) for r in rows]
        made = unmerging.without(self.merge, history, self._recomputed)
        now = self._as_text(self._root)
        after = dict(unmerging.apply(made.changes, now))
        self._status = {self._root: after.get("status"), self.merge.merged_id: self.merge.merged_row.get("status")}
        if after != now:
            self._tx.upsert(self._dataset.name, self._typed([after]))
        kept = tuple(
            LaterChange(field=f, value=now[f], before=made.changes[f][1])
            for f in unmerging.kept(made.changes, now)
            if f != "updated_at"
        )
        return made.rewritten, kept

    def _follow(self) -> None:
        """Rows that later merges moved on: what those noted of them is no longer theirs to give back.

        Where somebody gave a row to another record in between, it is that record's, and stays.
        """
        query = self._tx.query
        query.run(f"create or replace temp table later as {query.statement('identity', 'unmerge_later')}", self._later)
        query.run(
            "update notes set action = 'given on' from (select distinct dataset, \"key\", field from later"
            " where is_broken) as b where notes.action = 'moved' and notes.dataset = b.dataset"
            ' and notes."key" = b."key" and notes.field = b.field'
        )
        forgotten = query.rows('select merge_id, dataset, "key", field from later where not is_broken')
        self._forgotten += [(int(m), dataset, json.loads(key), field) for m, dataset, key, field in forgotten]

    @property
    def _later(self) -> dict[str, Any]:
        """The merges made since that the living record holds."""
        return {"later": sorted(m for m in self._stored if m > self.merge.merge_id)}

    def _as_text(self, number: int) -> dict[str, str | None]:
        sql = (
            f"select {moving.row_json(self._dataset, 'r')} from {self._dataset.name} as r where r.{self._key} = $number"
        )
        row = self._tx.query.one(sql, {"number": number})
        if row is None:
            raise NotFound(f"there is no {self._entity} {number}", hint="Run: sfactl doctor")
        read: dict[str, str | None] = json.loads(row[0])
        return read

    def _typed(self, rows: Sequence[Row], of: Dataset | None = None, only: Sequence[str] = ()) -> pa.Table:
        """Rows of text in the columns and types of a dataset, by default that of the entity."""
        import pyarrow as pa

        dataset = of or self._dataset

        texts = [json.dumps(dict(r)) for r in rows]
        self._tx.query.register("texts", pa.table({"place": list(range(len(texts))), "text": texts}))
        names = list(only) or [c.name for c in dataset.columns]
        inner = f"select place, {moving.from_json('text', names)} as r from texts"
        return self._tx.query.table(f"select {moving.typed(dataset, 'r', names)} from ({inner}) order by place")

    def _recomputed(
        self, before: Row, merged: Sequence[Row], rules: Mapping[str, str], picks: Mapping[str, int]
    ) -> Row:
        """The survivor of ``before`` and ``merged``, by the rules of then; without time of change."""
        if not merged:
            return before
        query, group = self._tx.query, str(before[self._key])
        among = {str(r[self._key]) for r in (before, *merged)}
        own = [r.column for r in self._dataset.references if r.entity == self._entity]
        rows = [{f: None if f in own and v in among else v for f, v in r.items()} for r in (before, *merged)]
        query.register("typed_rows", self._typed(rows))
        query.run(
            f"create or replace temp table members as select {group}::bigint as _group, {self._key} as _id,"
            f" case when {self._key} = {group} then 0 else row_number() over () end as _place, * from typed_rows"
        )
        here = {f: n for f, n in picks.items() if str(n) in among}
        chosen = survivorship.choices(self._dataset, self._entity, rules, here)
        sql = survivorship.survivors(self._dataset, self._entity, chosen)
        found = query.one(
            f"select {moving.row_json(self._dataset, 'r')} from ({sql}) as r", {"now": self._session.now()}
        )
        made: dict[str, str | None] = json.loads(found[0]) if found else {}
        return {**made, "updated_at": None}

    def _record(self) -> None:
        """The merged record is there again; what it refers to may have been merged meanwhile."""
        table = self._typed([self.merge.merged_row])
        row = table.to_pylist()[0]
        notes = []
        for reference in self._dataset.references:
            entity = reference.entity or row.get(str(reference.by))
            value = row[reference.column]
            if value is None or entity not in ENTITIES or not str(value).isdigit():
                continue
            while (alias := self._tx.query.get(ALIASES, entity, int(value))) is not None:
                notes.append(self._note(reference.column, int(value), alias))
                value = row[reference.column] = type(value)(alias["into_id"])
        import pyarrow as pa

        self._tx.upsert(self._dataset.name, pa.Table.from_pylist([row], schema=table.schema))
        if notes:
            schema = self._session.workspace.schemas["merge_moves"].arrow()
            self._tx.upsert("merge_moves", pa.Table.from_pylist(notes, schema=schema))

    def _note(self, column: str, old: int, alias: Mapping[str, Any]) -> dict[str, Any]:
        key = json.dumps({self._key: str(self.merge.merged_id)}, separators=(",", ":"))
        return {
            "at": self._session.now(), "merge_id": alias["merge_id"], "dataset": self._dataset.name, "key": key,
            "field": column, "action": "moved", "old": old, "new": alias["into_id"], "row": None,
        }  # fmt: skip

    def _rows(self) -> None:
        """Give back what the merge moved, set aside or added, as far as it is as the merge left it."""
        query, params = self._tx.query, {"root": self._root}
        noted: dict[str, dict[str, list[str]]] = {}
        counts: dict[str, int] = {}
        for dataset, action, name in query.rows("select distinct dataset, action, field from notes order by all"):
            noted.setdefault(dataset, {}).setdefault(action, []).append(name)
        sql = "select dataset, count(distinct \"key\") filter (where action <> 'added') from notes group by 1"
        counts |= {dataset: int(rows) for dataset, rows in query.rows(sql)}
        for name, actions in noted.items():
            dataset = self._session.workspace.schemas[name]
            back = 0
            if "moved" in actions:
                own = f"t.{self._key} <> $root" if dataset.name == self._dataset.name else "true"
                back += self._tx.upsert(name, restoring.moved_back(dataset, actions["moved"], own), params)
            if {"rekeyed", "set_aside"} & actions.keys():
                back += self._keyed(dataset)
            if "added" in actions:
                self._added(dataset)
            if back:
                self._restored[name] = back
            if counts[name] > back:
                self._stayed[name] = counts[name] - back

    def _added(self, dataset: Dataset) -> None:
        """Take out the rows that the merge added; later merges that moved them have nothing to give back."""
        query, keys = self._tx.query, ", ".join(f'"{k}"' for k in dataset.key)
        query.run(
            f"create or replace temp table gone as {restoring.added_keys(dataset)}",
            {"root": self._root},
        )
        sql = (
            'select m.merge_id, m."key", m.field from merge_moves m join gone g on g.note_key = m."key"'
            " where m.dataset = $name and m.action = 'moved' and list_contains($later, m.merge_id)"
        )
        forgotten = query.rows(sql, {"name": dataset.name, **self._later})
        self._forgotten += [(int(m), dataset.name, json.loads(key), field) for m, key, field in forgotten]
        self._tx.delete(dataset.name, f"select {keys} from gone")

    def _keyed(self, dataset: Dataset) -> int:
        """Give back the rows of one dataset that have the number in their key; answers how many."""
        sql = (
            'select merge_id, field, action, new, "key", "row" from merge_moves where dataset = $name and (merge_id'
            " = $id or list_contains($later, merge_id)) and action in ('rekeyed', 'set_aside') order by merge_id"
        )
        rows = self._tx.query.rows(sql, {"name": dataset.name, **self._later, **self._id})
        named: dict[tuple[int, str], list[tuple[str, str, int, str]]] = {}
        for merge_id, name, action, new, key, row in rows:
            named.setdefault((merge_id, key), []).append((name, action, new, row))
        notes = [
            restoring.Note(
                merge_id=merge_id,
                fields={name: new for name, _, new, _ in found},
                set_aside=found[0][1] == "set_aside",
                key=json.loads(key),
                row=json.loads(found[0][3]),
            )
            for (merge_id, key), found in named.items()
        ]
        others = [n for n in notes if n.merge_id != self.merge.merge_id]

        def live(key: Mapping[str, str | None]) -> Mapping[str, str | None] | None:
            test = " and ".join(f't."{k}" = cast(${k} as {dataset.types[k]})' for k in dataset.key)
            found = self._tx.query.one(
                f"select {moving.row_json(dataset, 't')} from {dataset.name} as t where {test}", dict(key)
            )
            return None if found is None else json.loads(found[0])

        mine = [n for n in notes if n.merge_id == self.merge.merge_id]
        done = [restoring.keyed_back(n, others, dataset.key, live) for n in mine]
        back = [d.row for d in done if d.row is not None]
        if gone := [{k: d.gone[k] for k in dataset.key} for d in done if d.gone is not None]:
            self._tx.delete(dataset.name, self._typed(gone, dataset, dataset.key))
        if back:
            self._tx.upsert(dataset.name, self._typed(back, dataset))
        self._forgotten += [(n.merge_id, dataset.name, n.key, f) for d in done for n in d.forgotten for f in n.fields]
        return len(back)

    def _stored_references(self, rewritten: dict[int, Merge]) -> None:
        """Rows that moved and were merged themselves since are kept as JSON: they get the old number there."""
        for name, key in ENTITIES.values():
            entity = next(e for e, (d, _) in ENTITIES.items() if d == name)
            sql = (
                "select m.merge_id, n.field, n.old from (select *,"
                f" cast(json_extract_string(\"key\", '$.{key}') as bigint) as record from notes"
                f" where dataset = '{name}' and action = 'moved') as n join merges as m"
                " on m.entity = $entity and m.merged_id = n.record and m.state = 'merged' and m.merge_id <> $id"
            )
            for merge_id, column, old in self._tx.query.rows(sql, {"entity": entity, **self._id}):
                stored = self._tx.query.get("merges", merge_id)
                if stored is None:
                    continue
                self._stored.setdefault(merge_id, stored)
                merge = rewritten.get(merge_id) or unmerging.read_merge(self._stored[merge_id])
                value = merge.merged_row.get(column)
                if value and living(self._tx.query, self._entity, int(value)) == self._root:
                    rewritten[merge_id] = replace(merge, merged_row={**merge.merged_row, column: str(old)})

    def _aliases(self) -> dict[int, int]:
        """The old number is the record's own again; answers the chains that are left, number → next."""
        import pyarrow as pa

        sql = f"select id, into_id, root_id, merge_id from {ALIASES} where entity = $entity and root_id = $root"
        rows = self._tx.query.rows(sql, {"entity": self._entity, "root": self._root})
        into = {int(i): int(n) for i, n, _, _ in rows if int(i) != self.merge.merged_id}
        ends = unmerging.roots(into)
        changed = [
            {"entity": self._entity, "id": i, "into_id": n, "root_id": ends[i], "merge_id": m}
            for i, n, root, m in rows
            if i in ends and ends[i] != root
        ]
        gone = pa.table({"entity": [self._entity], "id": pa.array([self.merge.merged_id], pa.int64())})
        self._tx.delete(ALIASES, gone)
        if changed:
            schema = self._session.workspace.schemas[ALIASES].arrow()
            self._tx.upsert(ALIASES, pa.Table.from_pylist(changed, schema=schema))
        return into

    def _history(self, rewritten: Mapping[int, Merge]) -> None:
        """The merge is marked as undone; those made since say what they would have found without it."""
        import pyarrow as pa

        now = {"undone_at": self._session.now(), "undone_by": self._session.actor, "state": "undone"}
        rows = [{**self._stored[self.merge.merge_id], **now}]
        for merge_id, merge in rewritten.items():
            columns = ("merged_row", "survivor_before", "survivor_after")
            texts = zip(columns, (merge.merged_row, merge.before, merge.after), strict=True)
            rows.append({**self._stored[merge_id], **{c: _text(r) for c, r in texts}})
        schema = self._session.workspace.schemas["merges"].arrow()
        self._tx.upsert("merges", pa.Table.from_pylist(rows, schema=schema))
        if self._forgotten:
            names = ("merge_id", "dataset", "key", "field")
            gone = [dict(zip(names, (m, d, _text(k), f), strict=True)) for m, d, k, f in self._forgotten]
            self._tx.delete("merge_moves", pa.Table.from_pylist(gone))

    def _stages(self, into: Mapping[int, int]) -> None:
        """Say where each of the two stands where the last event of its own tells another stage."""
        import pyarrow as pa

        ends = unmerging.roots(into)
        ids = {**ends, self._root: self._root, self.merge.merged_id: self.merge.merged_id}
        self._tx.query.register("owners", pa.table({"id": list(ids), "root": list(ids.values())}))
        told = self._session.workspace.snapshot(self._tx.query.seq).stored("stage_events")
        query = self._tx.query
        sql = query.statement("identity", "unmerge_stages").replace("{events}", told)
        last = {int(i): s for i, s in query.rows(sql, {"root": self._root, "merged": self.merge.merged_id})}
        events = [
            {
                "event_id": f"unmerge:{self.merge.merge_id}:{number}", "at": self._session.now(), "entity": "lead",
                "entity_id": number, "from_stage": last.get(number) or "new", "to_stage": status,
                "actor": self._session.actor, "cause": f"unmerge:{self.merge.merge_id}",
                "reason": "as it was before the merge",
            }
            for number, status in self._status.items()
            if (status or "new") != (last.get(number) or "new")
        ]  # fmt: skip
        if events:
            schema = self._session.workspace.schemas["stage_events"].arrow()
            self._tx.append("stage_events", pa.Table.from_pylist(events, schema=schema))


def _text(row: Mapping[str, str | None] | Mapping[str, str]) -> str:
    return json.dumps(dict(row), ensure_ascii=False, separators=(",", ":"))
