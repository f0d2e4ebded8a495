"""Simulate a strategy on the past, alone or beside an edited wording. Reads the workspace; writes and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, UserError
from sfactl.campaigns.usecases.scene import place_of
from sfactl.config.objects import read_toml
from sfactl.engine.duck import Query
from sfactl.engine.schedules import parse_schedule
from sfactl.session import Session
from sfactl.simulation.counting import by_day, lines, shifts, way
from sfactl.simulation.model import Day, History, Replayed, Simulation, Stage, Way
from sfactl.simulation.taking import Taker
from sfactl.simulation.ticks import MOST, Tick, every
from sfactl.simulation.usecases.past import Past, history_of, opened
from sfactl.simulation.usecases.record import load_record, recorded_file, recorded_runs, replayed
from sfactl.simulation.usecases.running import asked_by, run
from sfactl.simulation.usecases.telling import assumptions_of, notes_of
from sfactl.strategies.book import Book, open_book, versions_in_flight
from sfactl.strategies.files import (
    Names,
    StrategyFile,
    check_strategy,
    parse_strategy,
    read_names,
    read_strategy,
    version,
)
from sfactl.strategies.stepping import prefix_of

if TYPE_CHECKING:
    import pyarrow as pa

ANSWERS = {"approved": "approved", "refused": "refused", "open": ""}
DAILY = "1 day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What to simulate: the period (dates or times), when runs take place, on which history, and what to assume.

    ``every`` is a period; without it the strategy's own schedule counts, else once a day; ``recorded`` plays the runs
    again that took place. ``file`` is an edited wording to set beside the real one. ``fresh`` begins with nobody in it.
    """

    name: str
    start: str
    end: str
    every: str = ""
    recorded: bool = False
    file: Path | None = None
    history: History | None = None
    fresh: bool = False
    approvals: str = "approved"
    contact: int | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    way: Way
    days: tuple[Day, ...]
    path: tuple[Stage, ...]
    people: pa.Table
    replay: tuple[Replayed, ...]
    notes: tuple[str, ...]


def simulate(session: Session, asked: Asked) -> Simulation:
    """What the strategy would have done in the period. Nothing is written and nothing leaves the machine.

    Raises `NotFound`, `ConfigError` for the strategy or the edited file, `UserError` for the period.
    """
    return _Simulator(session, asked).simulation()


def people(session: Session, asked: Asked) -> pa.Table:
    """One row per lead that the simulated strategy, or the edited one where a file is given, did something with."""
    return _Simulator(session, asked).people()


class _Simulator:
    """One question and what it takes to answer it."""

    def __init__(self, session: Session, asked: Asked) -> None:
        self.session = session
        self.asked = asked
        self.names: Names = read_names(session.folder, session.workspace.schemas)
        self.file = read_strategy(session.folder, asked.name)
        self.edited = _edited(asked, self.file) if asked.file else None
        self.start = _first_moment(session, asked.start)
        self.end = session.moment(asked.end)
        if self.end < self.start:
            raise UserError(f"--to {asked.end} lies before --from {asked.start}")
        if asked.recorded and asked.history == "happened":
            raise UserError("--recorded plays runs again on what was known at each, so it cannot be --history happened")
        self.ticks, self.pace = self._ticks()
        self.history: History = asked.history or history_of(session, self.ticks[0].at)
        if asked.contact is not None:
            with session.query() as query:
                if query.get("leads", asked.contact) is None:
                    raise NotFound(f"--contact {asked.contact}: there is no such lead", hint="See: sfactl lead list")
        for file in (self.file, self.edited):
            if file is not None:
                check_strategy(file, self.names, now=self.start)

    def simulation(self) -> Simulation:
        """The simulated period, and the comparison where there is an edited wording."""
        begun = datetime.now(UTC)
        with opened(self.session) as query:
            real = self._run(query, self.file, "the file" if not self.asked.recorded else "as recorded")
        other = self._other()
        last = self.session.seq(None) or self.session.workspace.head()
        answer = Simulation(
            strategy=self.asked.name,
            start=self.start,
            end=self.end,
            time_zone=self.session.settings.workspace.time_zone,
            history=self.history,
            runs=len(self.ticks),
            pace=self.pace,
            commits=(self._seq(self.ticks[0]), self._seq(self.ticks[-1])) if self.history == "known" else (last, last),
            notes=(*notes_of(self.history, self.session, self.start, self.ticks[-1].at), *real.notes),
            assumptions=assumptions_of(self.asked.approvals, fresh=self._fresh, file=self.file),
            real=real.way,
            days=real.days,
            path=(*real.path, *(other.path if other else ())),
            replay=real.replay,
            seconds=(datetime.now(UTC) - begun).total_seconds(),
        )
        if other is None:
            return answer
        with opened(self.session) as query:
            query.register("people_real", real.people)
            query.register("people_edited", other.people)
            moved = shifts(query)
        return replace(answer, edited=other.way, lines=lines(real.way, other.way), shifts=moved)

    def people(self) -> pa.Table:
        """Everybody with whom something was done."""
        with opened(self.session) as query:
            return self._run(query, self.edited or self.file, "").people

    @property
    def _fresh(self) -> bool:
        return self.asked.fresh or self.history == "happened"

    def _other(self) -> _Done | None:
        if self.edited is None:
            return None
        with opened(self.session) as query:
            return self._run(query, self.edited, str(self.asked.file))

    def _run(self, query: Query, file: StrategyFile, source: str) -> _Done:
        asked = self.asked
        opened_book = open_book(query, asked.name, place_of(self.session), self.names)
        past = Past(self.session, query, name=asked.name, key_prefix=prefix_of(opened_book), history=self.history)
        past.begin(self.ticks[0], fresh=self._fresh)
        past.gather(asked_by(replace(opened_book, file=file), self.ticks[0].at), self.ticks[-1])
        load_record(self.session, query, asked.name)
        past.turn(self.ticks[0], some=False)
        replaying = asked.recorded and file is self.file

        @cache
        def book_of(wording: StrategyFile) -> Book:
            return replace(opened_book, file=wording, older=versions_in_flight(query, wording))

        def at_tick(tick: Tick) -> Book:
            if not replaying:
                return book_of(file)
            wording = recorded_file(query, self.file, tick.plan_id)
            return replace(opened_book, file=wording, older=versions_in_flight(query, wording))

        book_of(file)
        taker = Taker(query=query, name=asked.name, answer=ANSWERS[asked.approvals], contact=asked.contact)
        with self.session.progress("Simulating", len(self.ticks)) as progress:
            run(past, taker, self.ticks, at_tick, progress, all_looked_at=asked.everybody or replaying)
        zone = self.session.zone
        last = at_tick(self.ticks[-1])
        return _Done(
            way=way(query, last, source, self.start, zone),
            days=by_day(query, zone),
            path=_path(query, source) if asked.contact is not None else (),
            people=query.table(query.statement("simulation", "people"), {"start": self.start}),
            replay=replayed(self.session, query, asked.name, self.start, self.ticks) if replaying else (),
            notes=(),
        )

    def _ticks(self) -> tuple[list[Tick], str]:
        asked, zone = self.asked, self.session.zone
        schedule = self.file.strategy.schedule
        where = self.session.settings.workspace.time_zone
        if asked.recorded:
            found, pace = recorded_runs(self.session, asked.name, self.start, self.end), "as they were recorded"
            if not found:
                raise NotFound(
                    f"no run of {asked.name} was recorded between {asked.start} and {asked.end}",
                    hint=f"See: sfactl strategy log {asked.name}      or leave out --recorded",
                )
        elif schedule and not asked.every:
            times = parse_schedule(schedule).between(self.start, self.end, zone, most=MOST + 1)
            found, pace = [Tick(at=at) for at in times], f"at its schedule {schedule} ({where})"
        else:
            period = asked.every or DAILY
            found = every(period, self.start, self.end, zone, whole_day=len(asked.start) == 10)
            at = found[0].at.replace(tzinfo=UTC).astimezone(zone) if found else None
            pace = f"every {period} from {at:%H:%M} {where}" if at else ""
        if not found:
            raise UserError(f"no run takes place between {asked.start} and {asked.end}", hint="Try --every '1 day'.")
        if len(found) > MOST:
            raise UserError(f"more than {MOST:,} runs between {asked.start} and {asked.end}")
        return found, pace

    def _seq(self, tick: Tick) -> int:
        return tick.seq if tick.seq is not None else self.session.workspace.seq_at(tick.at)


def _edited(asked: Asked, real: StrategyFile) -> StrategyFile:
    """The edited wording, under the name of the real one."""
    assert asked.file is not None
    if not asked.file.is_file():
        raise NotFound(f"--file {asked.file}: there is no such file")
    read_toml(asked.file)
    text = asked.file.read_text(encoding="utf-8-sig")
    strategy = parse_strategy(text, real.name, where=str(asked.file))
    return StrategyFile(strategy=strategy, version=version(strategy), text=text, path=asked.file)


def _first_moment(session: Session, text: str) -> datetime:
    return session.moment(f"{text}T00:00" if len(text) == 10 else text)


def _path(query: Query, wording: str) -> tuple[Stage, ...]:
    rows = query.rows('select "at", step, action, reason, to_step, due_at from sim_path order by "at", rowid')
    stages: list[Stage] = []
    for at, step, action, reason, to_step, due_at in rows:
        stage = Stage(
            at=at, step=step, what=action, reason=reason or None, to_step=to_step, due_at=due_at, wording=wording
        )
        # Who stays where they are, for the same reason, is told of once.
        if action == "wait" and stages and _same(stages[-1], stage):
            continue
        stages.append(stage)
    return tuple(stages)


def _same(one: Stage, other: Stage) -> bool:
    return (one.step, one.what, one.reason) == (other.step, other.what, other.reason)
