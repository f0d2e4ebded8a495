"""All that one runner does: settle what dead runners left, then one run after the other, each recorded.

A run is recorded before it begins and when it has ended. Of a dead runner's last run the commits tell what became of
it: an atomic job whose commit is there was done, every other goes on where it was. Who was taken over writes nothing
any more.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sfactl.api.errors import Conflict, InternalError, LockBusy, SfactlError
from sfactl.runs.deciding import due_runs, next_slot
from sfactl.runs.jobs import builds_on
from sfactl.runs.model import DEADLY, Done, Due, Job, JobRun, State, Summary
from sfactl.runs.usecases.doing import ATOMIC, perform
from sfactl.runs.usecases.looking import waiting_plans
from sfactl.runs.usecases.records import RUNS, follow_schedules, pasts, read_runs, write_runs
from sfactl.session import Session
from sfactl.workspace.runner import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for: all jobs of the workspace, and those of them that are to be looked at."""

    env: str
    jobs: tuple[Job, ...]
    chosen: tuple[Job, ...]
    problems: tuple[str, ...] = ()


class Batch:
    """One ``run --due``; without a runner it is a rehearsal."""

    def __init__(self, session: Session, order: Order, runner: Runner | None = None) -> None:
        self.session = session
        self.order = order
        self.runner = runner
        self._ended: list[JobRun] = []
        self._stopped: dict[str, str] = {}
        self._needs = builds_on(order.jobs)

    def rehearse(self) -> Summary:
        """What would be done; nothing is."""
        for due in self._due():
            self._ended.append(self._record(due, "missed" if due.missed else "due", detail=_lateness(due)))
        return self._summary()

    def work(self) -> Summary:
        """Settle what dead runners left, then do what is due."""
        with self.session.write(RUNS, reason="begin run") as tx:
            left = [self._settled(run) for run in read_runs(tx.query, "state = 'started'")]
            write_runs(tx, left)
            if follow_schedules(self.session, tx, self.order.chosen, self.order.env) or left:
                tx.commit(left=len(left))
        found = self._due()
        with self.session.progress("Jobs", len(found)) as progress:
            for due in found:
                self._take(due)
                progress.advance()
        return self._summary()

    def _due(self) -> list[Due]:
        now, zone = self.session.as_of_time(), self.session.zone
        with self.session.query() as query:
            known = pasts(self.session, query, self.order.chosen, self.order.env)
        found = [due for job in self.order.chosen for due in due_runs(job, known[job.id], now, zone)]
        deadly = {due.job.id for due in found if due.died >= DEADLY}
        return sorted(found, key=lambda due: not deadly.isdisjoint((due.job.id, *self._needs[due.job.id])))

    def _settled(self, run: JobRun) -> JobRun:
        """What became of a run whose runner did not come to its end."""
        first, last = self._commits(run.run_id)
        whole = last is not None and run.job.partition(":")[0] in ATOMIC
        return replace(
            run,
            state="done" if whole else "interrupted",
            ended_at=self.session.now(),
            first_commit=first,
            last_commit=last,
            detail="its runner died after the commit" if whole else "its runner died or was taken over",
        )

    def _take(self, due: Due) -> None:
        job = due.job
        if job.id in self._stopped:  # its later slots wait for this one
            return
        if due.missed:
            self._keep(self._record(due, "missed", detail=_lateness(due)))
        elif reason := self._reason_to_skip(job):
            self._stopped[job.id] = _STOPPING["skipped"]
            self._keep(self._record(due, "skipped", detail=reason))
        else:
            self._do(due)

    def _reason_to_skip(self, job: Job) -> str:
        required = {other.id: other.required for other in self.order.jobs}
        for name in self._needs[job.id]:
            if name in self._stopped and required[name]:
                return f"it builds on {name}, which {self._stopped[name]}"
        return ""

    def _do(self, due: Due) -> None:
        assert self.runner is not None
        job = due.job
        self.runner.at(job.id)
        begun = self._record(due, "started")
        self._write(begun)
        with self.session.part(f"run {job.id}", run_id=begun.run_id, fence=self.runner.fence) as part:
            done = self._done(part, due)
        if done.state in _STOPPING:
            self._stopped[job.id] = _STOPPING[done.state]
        first, last = self._commits(begun.run_id)
        self._keep(
            replace(
                begun,
                state=done.state,
                ended_at=self.session.now(),
                items=done.items,
                counts=done.counts,
                detail=done.detail,
                error=done.error,
                plan_id=done.plan_id,
                first_commit=first,
                last_commit=last,
            )
        )

    def _done(self, part: Session, due: Due) -> Done:
        """What came of the job; what it raises is told, unless it is that another runner has taken over."""
        try:
            done = perform(part, due.job)
        except Exception as err:
            self._refuse_if_taken_over(err)
            done = _failure(err)
        # The record names files as the workspace does, wherever it lies.
        done = replace(done, detail=done.detail.replace(f"{part.folder}{os.sep}", ""))
        if "host" in vars(part):  # what a plugin said may hold what it was given
            done = replace(done, detail=part.host.redact(done.detail))
        if done.state != "failed":
            return done
        tried = due.failed + 1
        again = "the next run tries again" if tried < due.job.attempts else "given up until its next slot"
        return replace(done, detail=f"{done.detail} (attempt {tried} of {due.job.attempts}; {again})")

    def _refuse_if_taken_over(self, err: Exception) -> None:
        if self.runner is not None and isinstance(err, Conflict):
            with self.session.workspace.manifest.writing() as db:
                self.runner.fence.check(db)

    def _commits(self, run_id: str) -> tuple[int | None, int | None]:
        sql = "select min(seq), max(seq) from commits where run_id = ? and op = 'write'"
        first, last = self.session.workspace.manifest.one(sql, run_id) or (None, None)
        return first, last

    def _record(self, due: Due, state: State, **values: Any) -> JobRun:
        return JobRun(
            run_id=due.run_id(self.order.env),
            batch=self.runner.token if self.runner else 0,
            place=len(self._ended) + 1,
            env=self.order.env,
            job=due.job.id,
            due_at=due.due_at,
            first_due_at=due.first_due_at,
            slots=due.slots,
            attempt=due.attempt,
            state=state,
            started_at=self.session.now() if state == "started" and self.runner else None,
            actor=self.session.actor,
            minutes_per_run=due.job.minutes_per_run,
            minutes_per_item=due.job.minutes_per_item,
            **values,
        )

    def _keep(self, run: JobRun) -> None:
        self._write(run)
        self._ended.append(run)

    def _write(self, run: JobRun) -> None:
        with self.session.write(RUNS, reason=f"{run.job}: {run.state}") as tx:
            write_runs(tx, [run])
            tx.commit(job=run.job, state=run.state)

    def _summary(self) -> Summary:
        now, zone = self.session.as_of_time(), self.session.zone
        coming = [(at, n) for n, job in enumerate(self.order.jobs) if (at := next_slot(job, now, zone)) is not None]
        at, place = min(coming, default=(None, 0))
        return Summary(
            at=now,
            time_zone=str(zone),
            env=self.order.env,
            dry_run=self.session.dry_run,
            batch=self.runner.token if self.runner else None,
            jobs=tuple(self._ended),
            waiting=waiting_plans(self.session, self.order.env),
            next_at=at,
            next_job=self.order.jobs[place].id if at else "",
            taken_over=self.runner.taken_over if self.runner else "",
            problems=self.order.problems,
        )


_STOPPING: Mapping[State, str] = {"failed": "failed", "skipped": "was left out"}
"""States of a job after which those that build on it are left out."""


def _lateness(due: Due) -> str:
    stands = f"for {due.slots:,} slots" if due.slots > 1 else ""
    late = "missed by more than its grace" if due.missed else "late" if due.late else ""
    return ", ".join(text for text in (late, stands) if text)


def _failure(err: Exception) -> Done:
    if isinstance(err, LockBusy):  # somebody else is at it: that is no failed attempt
        return Done(state="skipped", error=err.code, detail=err.message)
    if isinstance(err, SfactlError) and not isinstance(err, InternalError):
        return Done(state="failed", error=err.code, detail=" · ".join(t for t in (err.message, err.hint) if t))
    said = (str(err).strip().splitlines() or ["no message"])[0]
    return Done(state="failed", error="bug", detail=f"this is a bug in sfactl: {type(err).__name__}: {said}")
