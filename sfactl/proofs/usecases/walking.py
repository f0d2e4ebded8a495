"""Ask strategies what happens to a lead at each of the moments of a test.

All cases of a strategy go through it together, each moment in one run. The limit of entries is set aside, because cases
would otherwise take each other's places; a lead's numbers are chosen so that it draws the arm, or the control group,
that the test asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from sfactl.api.errors import UserError
from sfactl.campaigns.usecases.scene import place_of
from sfactl.engine.conditions.compile import segments_in
from sfactl.engine.conditions.source import Source
from sfactl.proofs.asked import Answers, Asked, by_subject
from sfactl.proofs.decisions import decided, line, taken, ways_of
from sfactl.proofs.expectations import differences, wrong
from sfactl.proofs.fixtures import nearest
from sfactl.proofs.lanes import BUCKETS, Draw, drawn, lanes, together
from sfactl.proofs.model import Actual, Covered, Row, Trial
from sfactl.proofs.mutants.model import Planted
from sfactl.proofs.mutants.strategies import strategy_mutants
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.usecases.strategy_run import OWN, MadeUpRun, arriving
from sfactl.proofs.world import lead_of, world_of
from sfactl.segments.files import with_used
from sfactl.strategies.asking import audience_text, member_of
from sfactl.strategies.book import Book, open_book
from sfactl.strategies.files import FOLDER, Names, StrategyFile, check_strategy, read_names, read_strategy
from sfactl.strategies.model import Entry, Step, conditions_of

if TYPE_CHECKING:
    from sfactl.engine.duck import Query

OUTSIDE = "outside"
"""The state of a lead that never entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One run of a strategy: when, and which trials are looked at."""

    at: datetime
    trials: tuple[Trial, ...]


class Walks:
    """Answers trials of strategies."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._files: dict[str, StrategyFile] = {}
        self._known: dict[tuple[object, ...], dict[int, Actual]] = {}

    @cached_property
    def _names(self) -> Names:
        return read_names(self._bench.session.folder, self._bench.schemas)

    def rule(self, trial: Trial) -> StrategyFile:
        """The strategy that a trial is about. Raises `NotFound`, `ConfigError` or `ConditionError`."""
        if trial.subject not in self._files:
            file = read_strategy(self._bench.session.folder, trial.subject)
            check_strategy(file, self._names, now=trial.clock)
            self._files[trial.subject] = file
        return self._files[trial.subject]

    def check(self, trial: Trial) -> None:
        """Refuse steps and arms that the strategy does not have."""
        _check_asked(trial.asked)
        strategy = self.rule(trial).strategy
        steps = [step.name for step in strategy.steps]
        for key, expect in _expected(trial):
            for what in ("sends", "tasks", "pushes", "skips", "waits"):
                for name in expect.get(what, ()):
                    _known(name, steps, f"{key}.{what}", "step")
            if expect.get("step"):
                _known(str(expect["step"]), steps, f"{key}.step", "step")
        for name in trial.asked.get("refused", ()):
            _known(name, steps, "given.refused", "step")
        for name, arm in trial.asked.get("arms", {}).items():
            _known(name, [step.name for step in strategy.of("split")], "given.arms", "split")
            _known(arm, [arm.name for arm in strategy.step(name).arms], f"given.arms.{name}", "arm")

    def observe(self, asked: Sequence[Asked[StrategyFile]]) -> Answers:
        """What was done at each moment, and where the lead is then."""
        known = [self._known.get(self._key(one)) for one in asked]
        rest = [one for one, found in zip(asked, known, strict=True) if found is None]
        # Each has worlds of its own, and the engine works outside of Python's lock.
        with ThreadPoolExecutor(max(1, min(len(rest), self._bench.cores))) as pool:
            walked = iter(list(pool.map(self._answered, rest)))
        answers = [dict(next(walked) if found is None else found) for found in known]
        for one, found in zip(asked, answers, strict=True):
            if one.rule is self._files.get(one.rule.name):
                self._known[self._key(one)] = found
        return answers

    def _key(self, asked: Asked[StrategyFile]) -> tuple[object, ...]:
        """Under what the answers of a strategy as its file says it are kept; a planted mistake has none."""
        own = asked.rule is self._files.get(asked.rule.name)
        return (asked.rule.name, *(trial.number for trial in asked.trials)) if own else (asked.rule.name, None)

    def _answered(self, one: Asked[StrategyFile]) -> dict[int, Actual]:
        """The answers of one strategy, in as few worlds as its trials can share."""
        answers: dict[int, Actual] = {}
        apart = self._reads_addresses(one.rule)
        chosen = [self._chosen(self.rule(trial), trial) for trial in one.trials]
        by_number = {new.number: old.number for old, new in zip(one.trials, chosen, strict=True)}
        for lane in lanes(chosen, apart=apart):
            found = self._walked(Asked(rule=one.rule, trials=tuple(lane), to_break=one.to_break), apart=apart)
            broken = [trial for trial in lane if one.to_break and next(wrong(trial, found[trial.number]), None)]
            if broken:
                found = {broken[0].number: found[broken[0].number]}
            answers |= {by_number[number]: actual for number, actual in found.items()}
            if broken:
                break
        return answers

    def mutants(self, trials: Sequence[Trial]) -> tuple[list[Planted], list[str]]:
        """All mutants of the strategies that the trials are about."""
        found: list[Planted] = []
        for own in by_subject(trials):
            file = self.rule(own[0])
            (answers,) = self.observe([Asked(rule=file, trials=own)])
            for mutant in strategy_mutants(file, self._bench.types):
                able = tuple(trial for trial in own if _comes_by(mutant.place, answers[trial.number]))
                name = f"{FOLDER}/{file.name}.toml"
                found.append(Planted(rule=own[0].rule, file=name, mutant=mutant, trials=able))
        return found, []

    def explain(self, trial: Trial, actual: Actual) -> tuple[tuple[str, ...], str]:
        """What was decided about the lead, run by run."""
        lines = [text for moment in actual["moments_log"] for text in moment]
        hint = ""
        if not lines or all("·" not in text for text in lines):
            audience = " ".join(audience_text(self.rule(trial).strategy).split())
            hint = f"It never entered. Those enter for whom this holds: {audience}"
        return tuple(lines), hint

    def coverage(self, trials: Sequence[Trial]) -> list[Covered]:
        """Which steps, ways and exits of each strategy were taken."""
        found: list[Covered] = []
        for own in by_subject(trials):
            file = self.rule(own[0])
            seen = dict.fromkeys(ways_of(file), 0)
            (answers,) = self.observe([Asked(rule=file, trials=own)])
            for actual in answers.values():
                for key in actual["ways"]:
                    if key in seen:
                        seen[key] += 1
            found += [Covered(rule=own[0].rule, what=what, way=way, seen=n) for (what, way), n in seen.items()]
        return found

    def _walked(self, asked: Asked[StrategyFile], *, apart: bool) -> dict[int, Actual]:
        """Every tick of some trials in one world, or as many as it takes to break the rule."""
        file, lane = asked.rule, asked.trials
        rows = together(lane, apart=apart)
        rows["enrolments"] = [_of_version(row, file) for row in rows.get("enrolments", ())]
        moving = {*OWN, *arriving(rows, self._bench.schemas)}
        steady = {name: own for name, own in rows.items() if name not in moving}
        with world_of(steady, self._bench.schemas, self._bench.limits, written=moving) as query:
            run = MadeUpRun(query, self._bench.schemas, rows)
            book = self._book(query, file)
            actual: dict[int, dict[str, Any]] = {
                trial.number: {"moments": [], "moments_log": [], "ways": []} for trial in lane
            }
            for tick in _ticks(lane):
                self._tick(run, book, tick, actual)
                if asked.to_break and any(_is_broken(trial, actual[trial.number], tick.at) for trial in tick.trials):
                    break
        return {trial.number: _concluded(trial, actual[trial.number]) for trial in lane}

    def _tick(self, run: MadeUpRun, book: Book, tick: Tick, actual: Mapping[int, dict[str, Any]]) -> None:
        for word in ("approved", "refused"):
            leads = [lead_of(t) for t in tick.trials if _moment(t, tick.at).get("decide") == word]
            if leads:
                run.decide(book, tick.at, leads, word)
        refused = [(lead_of(t), step) for t in tick.trials for step in t.asked.get("refused", ())]
        walked = run.once(book, tick.at, [lead_of(t) for t in tick.trials], refused).to_pylist()
        by_lead: dict[int, list[dict[str, Any]]] = {}
        for row in walked:
            by_lead.setdefault(row["lead_id"], []).append(row)
        standing = run.standing(book)
        for trial in tick.trials:
            own = by_lead.get(lead_of(trial), [])
            step, state, reason = standing.get(lead_of(trial), (None, OUTSIDE, None))
            found = actual[trial.number]
            found["moments"].append({**decided(own), "step": step, "state": state, "reason": reason})
            found["moments_log"].append([line(tick.at, row) for row in own])
            found["ways"] += [key for row in own for key in taken(row)]

    def _book(self, query: Query, file: StrategyFile) -> Book:
        """The book of a strategy in a made-up world; everybody may enter who is asked for."""
        place = place_of(self._bench.session)
        book = open_book(query, file.name, place, self._names)
        entry = Entry(again=file.strategy.entry.again)
        strategy = replace(file.strategy, entry=entry, state="active", expires_at=file.strategy.expires_at)
        return replace(book, file=replace(file, strategy=strategy))

    def _chosen(self, file: StrategyFile, trial: Trial) -> Trial:
        """The trial with a lead that draws what the test asks for: by default no control group, and the first arms."""
        strategy = file.strategy
        percent = strategy.holdout.percent
        bar = percent * BUCKETS / 100
        draws = []
        if percent:
            control = bool(trial.asked.get("control"))
            salt = f"{strategy.name}.holdout."
            draws.append(Draw(salt=salt, lower=0 if control else bar, upper=bar if control else BUCKETS))
        for step in strategy.of("split"):
            lower, upper = _share(step, trial.asked.get("arms", {}).get(step.name, step.arms[0].name))
            salt = f"{strategy.name}.{step.name}."
            draws.append(Draw(salt=salt, lower=lower * BUCKETS, upper=upper * BUCKETS))
        before = [
            row.get("rotation") or 0 for row in trial.rows.get("enrolments", ()) if row["strategy"] == strategy.name
        ]
        inside = any(row.get("left_at") is None for row in trial.rows.get("enrolments", ()))
        rotation = max(before, default=0) + (0 if inside else 1)
        return drawn(trial, draws, rotation, self._bench.room) if draws else trial

    def _reads_addresses(self, file: StrategyFile) -> bool:
        """Whether a condition looks into an address, more than whether there is one."""
        texts = [text for _, text in conditions_of(file.strategy)]
        texts += [member_of(name) for name in (file.strategy.segment, file.strategy.blacklist) if name]
        asked = {name for text in texts for name in segments_in(Source(text=text).parse())}
        used = with_used(self._names.segments, sorted(asked & set(self._names.segments))) if asked else []
        columns = (
            column
            for text in [*texts, *(segment.where for segment in used)]
            for column in Source(text=text).parse().find_all(exp.Column)
        )
        return any(c.name.lower() in ("email", "phone") and not isinstance(c.parent, exp.Is) for c in columns)


def _check_asked(asked: Mapping[str, Any]) -> None:
    """Refuse values that cannot be what a test may choose about chance and receivers."""
    fine = {
        "control": isinstance(asked.get("control", False), bool),
        "arms": isinstance(arms := asked.get("arms", {}), Mapping) and all(isinstance(v, str) for v in arms.values()),
        "refused": isinstance(steps := asked.get("refused", []), list) and all(isinstance(v, str) for v in steps),
    }
    wanted = {"control": "true or false", "arms": 'a table: { SPLIT = "ARM" }', "refused": 'a list: ["STEP"]'}
    for key, right in fine.items():
        if not right:
            raise UserError(f"given.{key}: {asked[key]!r} is not {wanted[key]}")


def _ticks(trials: Sequence[Trial]) -> list[Tick]:
    """All moments of all trials in order; a trial without moments is looked at once, at its clock."""
    found: dict[datetime, list[Trial]] = {}
    for trial in trials:
        for at in dict.fromkeys(moment.at for moment in trial.moments) or (trial.clock,):
            found.setdefault(at, []).append(trial)
    return [Tick(at=at, trials=tuple(found[at])) for at in sorted(found)]


def _is_broken(trial: Trial, actual: Mapping[str, Any], at: datetime) -> bool:
    """Whether the run at ``at`` came out otherwise than expected."""
    last = actual["moments"][-1]
    found = differences(_moment(trial, at), last)
    ended = len(actual["moments"]) == max(len(trial.moments), 1)
    return next(found, None) is not None or (ended and next(differences(trial.expect, last), None) is not None)


def _concluded(trial: Trial, actual: dict[str, Any]) -> Actual:
    """What came out in the end; of trials that were not looked at to their end, nothing that is expected."""
    ended = len(actual["moments"]) == max(len(trial.moments), 1)
    last = actual["moments"][-1] if ended else trial.expect
    return {**last, **actual}


def _comes_by(place: str, actual: Actual) -> bool:
    """Whether a mistake at ``place`` can make a difference to a trial: one in a step to those who come there."""
    name = place.removeprefix("steps.").split(",")[0] if place.startswith("steps.") else ""
    return not name or any(what == f"step {name}" for what, _ in actual["ways"])


def _moment(trial: Trial, at: datetime) -> Mapping[str, Any]:
    return next((moment.expect for moment in trial.moments if moment.at == at), {})


def _expected(trial: Trial) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "expect", trial.expect
    for place, moment in enumerate(trial.moments):
        yield f"then[{place}]", moment.expect


def _known(name: str, known: Sequence[str], key: str, what: str) -> None:
    if name not in known:
        raise UserError(f"{key}: there is no {what} {name!r}.{nearest(name, known)}")


def _share(step: Step, name: str) -> tuple[float, float]:
    """The part of all draws that an arm takes."""
    total, lower = sum(arm.share for arm in step.arms), 0
    for arm in step.arms:
        if arm.name == name:
            return lower / total, (lower + arm.share) / total
        lower += arm.share
    raise UserError(f"given.arms.{step.name}: there is no arm {name!r}.{nearest(name, [a.name for a in step.arms])}")


def _of_version(row: Row, file: StrategyFile) -> Row:
    """An enrolment that a test gives; it follows the file's version unless it says another."""
    filled = dict(row)
    if row["strategy"] == file.name:
        filled["version"] = row.get("version") or file.version
    filled["entered_at"] = row.get("entered_at") or row.get("since")
    filled["state"] = row.get("state") or ("active" if row.get("left_at") is None else "finished")
    return filled
