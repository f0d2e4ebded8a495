"""Do what is due, once, as the one runner of the workspace."""

from __future__ import annotations

from collections.abc import Sequence

from sfactl.api.errors import PolicyError
from sfactl.engine.periods import parse_period
from sfactl.runs.jobs import chosen_jobs
from sfactl.runs.model import Summary
from sfactl.runs.usecases.batch import Batch, Order
from sfactl.runs.usecases.ground import jobs_of
from sfactl.session import Session
from sfactl.workspace.runner import only_runner


def run_due(session: Session, *, env: str = "", only: Sequence[str] = (), wait_s: float = 0.0) -> Summary:
    """Do everything that is due, or of it only the jobs ``only`` (ids or kinds), in the order in which they build on
    each other. ``env`` is the environment the settings were read with; each has its own record.

    A dry run says what it would do. Raises `LockBusy` while another run is at work, `Conflict` where another has taken
    over, `PolicyError` in a copy of the workspace, `ConfigError` where schedules cannot be read.
    """
    jobs, problems = jobs_of(session)
    order = Order(env=env, jobs=tuple(jobs), chosen=tuple(chosen_jobs(jobs, only)), problems=problems)
    if session.dry_run:
        return Batch(session, order).rehearse()
    if session.workspace.is_copy:
        raise PolicyError(
            "this workspace looks like a copy or a backup: what it was made of may do or have done the same work",
            hint="If this is now the only one, say so with: sfactl data adopt",
        )
    settings = session.settings.run
    with only_runner(
        session.workspace.manifest,
        session.workspace.private / "locks",
        run_id=session.run_id,
        actor=session.actor,
        since=session.now(),
        takeover_s=parse_period(settings.takeover_after).seconds,
        stuck_s=parse_period(settings.stuck_after).seconds,
        wait_s=wait_s,
    ) as runner:
        session.fence = runner.fence
        return Batch(session, order, runner).work()
