"""Read and write the record of runs: the dataset ``runs``, and since when each schedule is followed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.runs.deciding import Past, first_seen
from sfactl.runs.model import Attempt, Job, JobRun
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.workspace import Transaction

RUNS = "runs"
RECENT = 200
"""So many attempts of a job are looked at to decide what is due."""


def read_runs(query: Query, where: str = "true", params: Mapping[str, Any] | None = None) -> list[JobRun]:
    """Records, the newest slot first."""
    names = [f.name for f in fields(JobRun)]
    columns = ", ".join(names)
    found = query.rows(
        f"select {columns} from runs where {where} order by batch desc, place desc",
        params,
    )
    return [_run(dict(zip(names, row, strict=True))) for row in found]


def write_runs(tx: Transaction, runs: Sequence[JobRun]) -> None:
    """Put records in, or in the place of what the same runs said before."""
    if runs:
        tx.upsert(RUNS, _table(runs))


def pasts(session: Session, query: Query, jobs: Iterable[Job], env: str) -> dict[str, Past]:
    """What is known of each job."""
    rows = query.rows(
        "select run_id, job, due_at, attempt, state, plan_id from runs where env = $env"
        f" qualify row_number() over (partition by job order by due_at desc, attempt desc) <= {RECENT}",
        {"env": env},
    )
    tried: dict[str, list[Attempt]] = {}
    for run_id, job, due_at, attempt, state, plan_id in rows:
        found = Attempt(run_id=run_id, job=job, due_at=due_at, attempt=attempt, state=state, plan_id=plan_id)
        tried.setdefault(job, []).append(found)
    approved = frozenset(str(p) for (p,) in query.rows("select plan_id from plans where state = 'approved'"))
    return {
        job.id: Past(since=_since(session, job, env), attempts=tried.get(job.id, ()), approved=approved) for job in jobs
    }


def _since(session: Session, job: Job, env: str) -> datetime | None:
    """Since when the schedule is followed; where it is not the one that was seen last, slots within the grace count."""
    known = session.workspace.cursor(cursor_name(env, job))
    if known is None:
        return None
    if job.schedule is not None and known["schedule"] != job.schedule.text:
        return first_seen(job, session.now(), session.zone)
    return datetime.fromisoformat(known["since"])


def follow_schedules(session: Session, tx: Transaction, jobs: Iterable[Job], env: str) -> int:
    """Remember new and changed schedules, and those that rest; answers how many."""
    changed = 0
    for job in jobs:
        known = session.workspace.cursor(cursor_name(env, job))
        text = "" if job.idle or job.schedule is None else job.schedule.text
        if text == (known["schedule"] if known else ""):
            continue
        since = first_seen(job, session.now(), session.zone).isoformat()
        tx.set_cursor(cursor_name(env, job), {"schedule": text, "since": since})
        changed += 1
    return changed


def cursor_name(env: str, job: Job) -> str:
    """Under which name it is kept since when the schedule of a job is followed."""
    return f"run:{env}:{job.id}"


def _run(row: dict[str, Any]) -> JobRun:
    row["counts"] = json.loads(row["counts"] or "{}")
    for name in ("detail", "error", "actor"):
        row[name] = row[name] or ""
    for name in ("items", "minutes_per_run", "minutes_per_item"):
        row[name] = row[name] or 0
    return JobRun(**row)


def _table(runs: Sequence[JobRun]) -> pa.Table:
    import pyarrow as pa

    from sfactl.schemas import core_schemas

    schema = core_schemas()[RUNS].arrow()
    columns = {f.name: [getattr(run, f.name) for run in runs] for f in fields(JobRun)}
    columns["counts"] = [json.dumps(dict(run.counts), ensure_ascii=False) for run in runs]
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in schema})
