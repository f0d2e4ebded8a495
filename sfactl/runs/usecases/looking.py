"""Look at jobs, at what is due and will be, at what was done, and at the hand work that it saved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sfactl.api.errors import NotFound
from sfactl.runs.deciding import coming, due_runs, next_slot
from sfactl.runs.jobs import chosen_jobs
from sfactl.runs.model import JobLine, JobRun, Saving, Slot, Waiting
from sfactl.runs.usecases.ground import jobs_of
from sfactl.runs.usecases.records import pasts, read_runs
from sfactl.session import Session


def list_jobs(session: Session, *, env: str = "", every: bool = False) -> tuple[JobLine, ...]:
    """The jobs with a schedule in their order, or with ``every`` all jobs there could be; and files in the way."""
    jobs, problems = jobs_of(session)
    now, zone = session.as_of_time(), session.zone
    with session.query() as query:
        known = pasts(session, query, jobs, env)
    lines = []
    for job in jobs:
        if job.schedule is None and not every:
            continue
        past = known[job.id]
        last = max(past.attempts, key=lambda a: (a.due_at, a.attempt), default=None)
        lines.append(
            JobLine(
                job=job.id,
                schedule=job.schedule.text if job.schedule else "",
                said_in=job.said_in,
                next_at=next_slot(job, now, zone),
                due=sum(1 for due in due_runs(job, past, now, zone) if not due.missed),
                last_state=last.state if last else "",
                last_due_at=last.due_at if last else None,
                misfire=job.misfire,
                needs=job.needs,
                note=job.idle,
            )
        )
    for problem in problems:
        session.note(f"cannot be read: {problem}")
    return tuple(lines)


def due_now(session: Session, *, env: str = "", only: Sequence[str] = ()) -> tuple[JobRun, ...]:
    """What ``run --due`` would do now, or would have done at ``--as-of``; writes nothing."""
    from sfactl.runs.usecases.batch import Batch, Order

    jobs, problems = jobs_of(session)
    order = Order(env=env, jobs=tuple(jobs), chosen=tuple(chosen_jobs(jobs, only)), problems=problems)
    return Batch(session, order).rehearse().jobs


def next_slots(session: Session, *, only: Sequence[str] = (), count: int = 5) -> tuple[Slot, ...]:
    """The next ``count`` slots of each job, the earliest first."""
    jobs, _ = jobs_of(session)
    now, zone = session.as_of_time(), session.zone
    found = []
    for job in chosen_jobs(jobs, only):
        for at in coming(job, now, zone, count):
            local = at.replace(tzinfo=UTC).astimezone(zone)
            found.append(Slot(job=job.id, due_at=at, local=f"{local:%a %Y-%m-%d %H:%M %Z}"))
    return tuple(sorted(found, key=lambda slot: slot.due_at))


def log(
    session: Session, *, env: str | None = None, job: str = "", states: Sequence[str] = (), limit: int = 50
) -> tuple[JobRun, ...]:
    """What was done, the newest first."""
    where = "($env is null or env = $env) and ($job = '' or job = $job or starts_with(job, $job || ':'))"
    with session.query() as query:
        found = read_runs(query, where, {"env": env, "job": job})
    chosen = [run for run in found if not states or run.state in states]
    return tuple(chosen[:limit] if limit else chosen)


def show(session: Session, ref: str) -> tuple[JobRun, ...]:
    """The runs whose id begins with ``ref``, or all of the batch ``ref``. Raises `NotFound`."""
    with session.query() as query:
        batch = int(ref) if ref.isdigit() and len(ref) < 8 else -1
        found = read_runs(query, "batch = $batch or starts_with(run_id, $ref)", {"batch": batch, "ref": ref.lower()})
    if not found:
        raise NotFound(f"there is no run {ref!r}", hint="See: sfactl run log")
    return tuple(sorted(found, key=lambda run: (run.batch, run.place)))


def waiting_plans(session: Session, env: str) -> tuple[Waiting, ...]:
    """Plans of the newest run of each job that still wait for somebody's approval."""
    with session.query() as query:
        rows = query.rows(
            "select r.job, r.plan_id, r.due_at, r.detail from (select * from runs where env = $env"
            " qualify row_number() over (partition by job order by due_at desc, attempt desc) = 1) as r"
            " join plans as p on p.plan_id = r.plan_id and p.state = 'planned' where r.state = 'waiting'"
            " order by r.due_at, r.job",
            {"env": env},
        )
    return tuple(Waiting(job=job, plan_id=plan, since=at, detail=detail) for job, plan, at, detail in rows)


def savings(session: Session, *, since: datetime | None = None, until: datetime | None = None) -> tuple[Saving, ...]:
    """Hand work that was saved, by job and by what was declared at the time: runs and items times declared minutes.

    Only runs that did something count.
    """
    with session.query() as query:
        rows = query.rows(
            query.statement("runs", "savings"),
            {"since": since or datetime(1970, 1, 1), "until": until or datetime(9999, 1, 1)},
        )
    return tuple(
        Saving(
            job=job,
            runs=runs,
            items=items,
            minutes_per_run=per_run,
            minutes_per_item=per_item,
            minutes=round(runs * per_run + items * per_item, 2),
            hours=round((runs * per_run + items * per_item) / 60, 2),
        )
        for job, runs, items, per_run, per_item in rows
    )
