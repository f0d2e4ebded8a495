"""The ledger of effects on the outside: a message, an ERP order. What is in it was durable before the effect.

States: ``planned`` (may be tried, or tried again), ``sending`` (on its way), ``accepted``, ``refused``, ``unknown``
(it may or may not have happened; held for a person or a look-up, never repeated blindly), ``dead`` (put off until its
attempts were used up; it did not happen, and waits for a person to let it be tried again). One runner at a time holds
the lease of a scope: a lock that the kernel frees when the process dies, and a fencing token that a late runner fails
on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import LockBusy, NotFound, PolicyError
from sfactl.api.records import Outcome, Receipt
from sfactl.workspace.fence import Fence, next_token
from sfactl.workspace.locks import locked
from sfactl.workspace.manifest import Manifest, dump, from_micros, to_micros
from sfactl.workspace.witness import remember

if TYPE_CHECKING:
    import sqlite3

    import pyarrow as pa

SETTLED = ("accepted", "refused")
DEAD = "dead"
MESSAGE = "message"
HANDED = "handed"
"""What an accepted message is called in the data where a person is to do what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One effect to be claimed. ``kind`` is ``message`` or ``erp.…``; ``meta`` holds JSON values that stay with it."""

    key: str
    kind: str
    payload_hash: str
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectRow:
    """One effect as the ledger holds it."""

    key: str
    scope: str
    kind: str
    state: str
    payload_hash: str
    attempts: int
    planned_at: datetime
    settled_at: datetime | None
    provider_id: str
    detail: str
    not_before: datetime | None
    meta: Mapping[str, Any]


class Lease:
    """The right of one runner to bring about the effects of one scope."""

    def __init__(
        self, manifest: Manifest, scope: str, token: int, now: Callable[[], datetime], fence: Fence | None = None
    ) -> None:
        self.scope = scope
        self.token = token
        self._fences = (Fence(scope=scope, token=token), *(() if fence is None else (fence,)))
        self._manifest = manifest
        self._now = now

    def claim(self, effects: Sequence[Effect]) -> list[str]:
        """Make ``effects`` durable as ``sending`` and answer the keys that this runner may now bring about.

        A key that is settled, unknown, or waiting for its time is left out.
        """
        now = to_micros(self._now())
        claimed = []
        with self._writing() as db:
            for effect in effects:
                if db.execute("select 1 from past_effects where digest = ?", (digest(effect.key),)).fetchone():
                    continue
                row = (effect.key, self.scope, effect.kind, self.token, effect.payload_hash, now, dump(effect.meta))
                done = db.execute(
                    "insert into effects (key, scope, kind, state, fence, payload_hash, attempts, planned_at, meta)"
                    " values (?, ?, ?, 'sending', ?, ?, 1, ?, ?) on conflict (key) do update set state = 'sending',"
                    " fence = excluded.fence, attempts = attempts + 1, payload_hash = excluded.payload_hash,"
                    " meta = excluded.meta where state = 'planned' and scope = excluded.scope"
                    " and coalesce(not_before, 0) <= ?",
                    (*row, now),
                )
                if done.rowcount == 1:
                    claimed.append(effect.key)
        return claimed

    def settle(self, receipts: Sequence[Receipt], unheard: Collection[str] = (), attempts: int = 0) -> list[str]:
        """Record what became of claimed effects; ``retry_after`` puts one back to ``planned``.

        For the keys ``unheard`` the receiver never got as far as the effect, so that it counts as no attempt. One that
        had ``attempts`` of them (0: any number) is ``dead`` instead; answers the keys of those.
        """
        dead = []
        now = self._now()
        with self._writing() as db:
            for r in receipts:
                state = "planned" if r.outcome == "retry_after" else r.outcome
                wait = timedelta(seconds=r.retry_after_s or 0)
                not_before = to_micros(now + wait) if r.outcome == "retry_after" else None
                settled = to_micros(now) if state in SETTLED else None
                task = None if r.task is None else dump(asdict(r.task))
                said = (state, settled, r.provider_id, r.detail, not_before, r.key in unheard, task, task)
                db.execute(
                    "update effects set state = ?, settled_at = ?, provider_id = ?, detail = ?, not_before = ?,"
                    " attempts = attempts - ?,"
                    " meta = case when ? is null then meta else json_set(meta, '$.task', json(?)) end"
                    " where key = ? and scope = ? and state in ('sending', 'unknown')",
                    (*said, r.key, self.scope),
                )
                if state == "planned" and attempts and r.key not in unheard:
                    done = db.execute(
                        "update effects set state = ? where key = ? and scope = ? and state = 'planned'"
                        " and attempts >= ?",
                        (DEAD, r.key, self.scope, attempts),
                    )
                    dead += [r.key] * done.rowcount
        return dead

    def revive(self, keys: Sequence[str]) -> None:
        """Let ``dead`` effects be tried again, as if they never had been."""
        with self._writing() as db:
            db.executemany(
                "update effects set state = 'planned', attempts = 0, not_before = null"
                " where key = ? and scope = ? and state = ?",
                [(key, self.scope, DEAD) for key in keys],
            )

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._manifest.writing() as db:
            for fence in self._fences:
                fence.check(db)
            yield db


class Ledger:
    """All effects of a workspace; under ``fence`` none is claimed once there is a newer runner."""

    def __init__(
        self,
        manifest: Manifest,
        locks: Path,
        now: Callable[[], datetime],
        copied: Callable[[], bool],
        fence: Fence | None = None,
    ) -> None:
        self._manifest = manifest
        self._locks = locks
        self._now = now
        self._copied = copied
        self._fence = fence

    @contextmanager
    def lease(self, scope: str, *, run_id: str, wait_s: float = 0.0) -> Iterator[Lease]:
        """Become the one runner of ``scope``; what a dead runner left ``sending`` becomes ``unknown``.

        Raises `LockBusy` if another runner is at work, `PolicyError` in a copied workspace.
        """
        if self._copied():
            raise PolicyError(
                "this workspace looks like a copy or a backup: what it was made of may do or have done the same work",
                hint="If this is now the only one, say so with: sfactl data adopt",
            )
        name = "effects-" + blake2b(scope.encode(), digest_size=12).hexdigest()
        try:
            with locked(self._locks, [name], wait_s=wait_s):
                yield self._fenced(scope, run_id)
        except LockBusy as err:
            if name not in err.message:
                raise
            raise LockBusy(f"another run is at work on {scope}", hint="Wait until it is done.") from None

    def _fenced(self, scope: str, run_id: str) -> Lease:
        with self._manifest.writing() as db:
            if self._fence is not None:
                self._fence.check(db)
            token = next_token(db, scope, run_id)
            db.execute(
                "update effects set state = 'unknown', detail = 'the runner ended before an answer came'"
                " where scope = ? and state = 'sending'",
                (scope,),
            )
        remember(self._manifest)
        return Lease(self._manifest, scope, token, self._now, self._fence)

    def rows(self, scope: str | None = None, state: str | None = None) -> list[EffectRow]:
        """Effects in the ledger, oldest first."""
        found = self._manifest.rows(
            "select key, scope, kind, state, payload_hash, attempts, planned_at, settled_at, provider_id, detail,"
            " not_before, meta from effects where (?1 is null or scope = ?1) and (?2 is null or state = ?2)"
            " order by planned_at, key",
            scope,
            state,
        )
        return [_row(r) for r in found]

    def counts(self, scope: str | None = None) -> dict[str, int]:
        """Number of effects by state."""
        rows = self._manifest.rows(
            "select state, count(*) from effects where (?1 is null or scope = ?1) group by state order by state", scope
        )
        return {str(state): int(n) for state, n in rows}

    def accepted_at(self, keys: Sequence[str]) -> dict[str, datetime]:
        """When messages that are not folded yet were accepted, for those of ``keys`` that were."""
        found: dict[str, datetime] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            sql = f"select key, settled_at from effects where state = 'accepted' and key in ({marks})"
            found |= {key: from_micros(at) for key, at in self._manifest.rows(sql, *some) if at is not None}
        return found

    def resolve(self, key: str, outcome: Outcome, detail: str) -> None:
        """Settle an unknown effect by a person's or a look-up's word; ``retry_after`` lets it be tried again.

        Raises `NotFound` if ``key`` is not unknown.
        """
        self.resolve_all([Receipt(key=key, outcome=outcome, detail=detail)])

    def resolve_all(self, words: Sequence[Receipt]) -> None:
        """Settle unknown effects as `resolve` does, all of them or none."""
        now = to_micros(self._now())
        with self._manifest.writing() as db:
            for word in words:
                state = "planned" if word.outcome == "retry_after" else word.outcome
                done = db.execute(
                    "update effects set state = ?, settled_at = ?, detail = ?, not_before = null"
                    " where key = ? and state = 'unknown'",
                    (state, now if state in SETTLED else None, word.detail, word.key),
                )
                if done.rowcount != 1:
                    raise NotFound(
                        f"no effect with key {word.key!r} is unknown", hint="See: sfactl touch list --state unknown"
                    )


def settled_messages(manifest: Manifest, scope: str) -> pa.Table:
    """The settled messages of ``scope`` with the columns of the dataset ``messages``."""
    import pyarrow as pa

    rows = manifest.rows(
        "select settled_at, key, state, attempts, provider_id, detail, payload_hash, meta from effects"
        " where scope = ? and kind = ? and state in ('accepted', 'refused') order by settled_at, key",
        scope,
        MESSAGE,
    )
    metas = [json.loads(r[7]) for r in rows]
    columns: dict[str, pa.Array] = {
        "at": pa.array([from_micros(r[0]) for r in rows], pa.timestamp("us")),
        "message_key": pa.array([r[1] for r in rows], pa.string()),
        "state": pa.array([HANDED if "task" in m else r[2] for r, m in zip(rows, metas, strict=True)], pa.string()),
        "attempts": pa.array([r[3] for r in rows], pa.int64()),
        "provider_id": pa.array([r[4] for r in rows], pa.string()),
        "detail": pa.array([r[5] for r in rows], pa.string()),
        "payload_hash": pa.array([r[6] for r in rows], pa.string()),
        "lead_id": pa.array([m.get("lead_id") for m in metas], pa.int64()),
    }
    for name in ("plan_id", "campaign", "step", "channel", "recipient", "sender"):
        columns[name] = pa.array([m.get(name) for m in metas], pa.string())
    return pa.table(columns)


def handed_tasks(manifest: Manifest, scope: str) -> pa.Table:
    """The tasks that settled messages of ``scope`` were handed over as: columns of ``tasks`` that the ledger knows."""
    import pyarrow as pa

    rows = manifest.rows(
        "select key, settled_at, meta from effects where scope = ? and kind = ? and state = 'accepted'"
        " and json_type(meta, '$.task') is not null order by key",
        scope,
        MESSAGE,
    )
    metas = [json.loads(r[2]) for r in rows]
    made = [from_micros(r[1]) for r in rows]
    due = [at + timedelta(seconds=m["task"]["due_s"]) for at, m in zip(made, metas, strict=True)]
    columns: dict[str, pa.Array] = {
        "task_id": pa.array([r[0] for r in rows], pa.string()),
        "lead_id": pa.array([m.get("lead_id") for m in metas], pa.int64()),
        "created_at": pa.array(made, pa.timestamp("us")),
        "due_at": pa.array(due, pa.timestamp("us")),
    }
    columns |= {n: pa.array([m.get(n) for m in metas], pa.string()) for n in ("campaign", "step")}
    columns |= {n: pa.array([m["task"][n] for m in metas], pa.string()) for n in ("kind", "title", "content", "owner")}
    return pa.table(columns)


def forget(db: sqlite3.Connection, keys: Sequence[str]) -> None:
    """Drop folded rows, but remember their keys for ever: a key is never claimed twice."""
    db.executemany("insert or ignore into past_effects values (?)", [(digest(k),) for k in keys])
    db.executemany("delete from effects where key = ? and state in ('accepted', 'refused')", [(k,) for k in keys])


def digest(key: str) -> bytes:
    """What stands for a key once it is in the past: 16 bytes."""
    return blake2b(key.encode(), digest_size=16).digest()


def _row(r: Sequence[Any]) -> EffectRow:
    return EffectRow(
        key=r[0],
        scope=r[1],
        kind=r[2],
        state=r[3],
        payload_hash=r[4],
        attempts=r[5],
        planned_at=from_micros(r[6]),
        settled_at=None if r[7] is None else from_micros(r[7]),
        provider_id=r[8],
        detail=r[9],
        not_before=None if r[10] is None else from_micros(r[10]),
        meta=json.loads(r[11]),
    )
