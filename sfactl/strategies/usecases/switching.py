"""Move leads that follow older versions of a strategy to the newest: to the step of the same name, or as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sfactl.api.errors import UserError
from sfactl.session import Session
from sfactl.strategies.files import read_strategy
from sfactl.strategies.model import near
from sfactl.strategies.usecases import recording
from sfactl.strategies.usecases.scene import scope_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """How many leads go from a step of an older version to a step of the newest."""

    version: str
    step: str
    to_step: str
    leads: int


def switch(session: Session, name: str, *, steps: Mapping[str, str]) -> tuple[Switched, ...]:
    """Move everybody who is in ``name`` to its newest version; ``steps`` says where those of a gone step go.

    They keep the time since when they stand there. Raises `UserError` for a step that neither version nor ``steps``
    tells, `LockBusy` while another run is at work.
    """
    if session.dry_run:
        return _switch(session, name, steps)
    with session.ledger.lease(scope_of(name), run_id=session.run_id):
        return _switch(session, name, steps)


def _switch(session: Session, name: str, steps: Mapping[str, str]) -> tuple[Switched, ...]:
    import pyarrow as pa

    with session.write("enrolments", "strategy_versions", reason=f"switch {name} to its newest version") as tx:
        file = read_strategy(session.folder, name)
        newest = [s.name for s in file.strategy.steps]
        for target in steps.values():
            if target not in newest:
                raise UserError(f"--map: {name} has no step {target!r}.{near(target, newest)}")
        found = tx.query.rows(
            "select version, coalesce(step, ''), count(*) from enrolments where strategy = $name and left_at is null"
            " and version <> $version group by all order by 1, 2",
            {"name": name, "version": file.version},
        )
        moved = []
        for version, step, leads in found:
            target = steps.get(step, step)
            if step and target not in newest:
                raise UserError(
                    f"{leads:,} leads stand at {step!r}, which the newest version of {name} lacks",
                    hint=f"Say where they go on: --map {step}={newest[0]}",
                )
            moved.append(Switched(version=version[:6], step=step or "control", to_step=target, leads=leads))
        if not moved:
            return ()
        tx.query.register(
            "new_steps", pa.table({"old": [r[1] for r in found], "new": [steps.get(r[1], r[1]) for r in found]})
        )
        recording.write_version(tx, file, actor=session.actor, now=session.now())
        tx.upsert(
            "enrolments",
            "select e.* replace ($version as version, nullif(n.new, '') as step, cast($now as timestamp) as changed_at)"
            " from enrolments e join (select distinct old, new from new_steps) n on n.old = coalesce(e.step, '')"
            " where e.strategy = $name and e.left_at is null and e.version <> $version",
            {"name": name, "version": file.version, "now": session.now()},
        )
        tx.commit(strategy=name, leads=sum(m.leads for m in moved))
    return tuple(moved)
