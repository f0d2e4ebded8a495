"""Run the tests of a workspace: read them, ask the rules, compare, and explain what is otherwise."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, SfactlError, UserError
from sfactl.proofs.asked import Asked
from sfactl.proofs.expectations import wrong
from sfactl.proofs.files import FOLDER, read_tests
from sfactl.proofs.model import Actual, Failure, Invalid, Outcome, Report, Trial
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.usecases.kinds import Judge, judges

if TYPE_CHECKING:
    from sfactl.session import Session

EXPLAINED = 25
"""So many failures are explained; to explain one takes longer than to run a thousand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a run: the tests whose name holds ``only``, and what is measured beside."""

    only: str = ""
    coverage: bool = False
    mutate: bool = False
    most_mutants: int = 0


def run(session: Session, paths: Sequence[Path] = (), options: Options | None = None) -> Report:
    """Run the test files ``paths`` (default: all of the workspace's folder ``tests``) against the workspace's rules.

    Nothing of the workspace's data is read or written. Raises `NotFound` where there is no test.
    """
    asked = options or Options()
    begun = time.perf_counter()
    chosen = list(paths) or sorted((session.folder / FOLDER).glob("*.toml"))
    if not chosen:
        raise NotFound(f"there is no test in {FOLDER}/", hint=f"Write one to {FOLDER}/NAME.toml: see docs/testing.md")
    read = read_tests(chosen, session.workspace.schemas, session.folder)
    trials = [trial for trial in read.trials if _meant(trial, asked.only)]
    if asked.only and not trials and not read.invalid:
        raise NotFound(f"no test has {asked.only!r} in its name", hint="See: sfactl strategy test --format csv")
    with Bench(session, room=len(read.trials) + 1) as bench:
        runner = _Runner(bench)
        runner.run(trials)
        passed = [trial for trial in trials if trial.number in runner.passed]
        coverage = mutation = None
        if asked.coverage:
            from sfactl.proofs.usecases.covering import coverage_of

            coverage = coverage_of(bench, runner.judges, trials)
        if asked.mutate:
            from sfactl.proofs.usecases.mutating import mutation_of

            mutation = mutation_of(bench, runner.judges, passed, most=asked.most_mutants)
    return Report(
        files=len(read.files),
        tests=len({(trial.file, trial.test) for trial in trials}),
        cases=len(trials),
        passed=len(passed),
        seconds=round(time.perf_counter() - begun, 3),
        outcomes=tuple(
            Outcome(file=t.file, test=t.test, case=t.case, rule=t.rule, passed=t.number in runner.passed)
            for t in trials
        ),
        failures=tuple(runner.failures),
        invalid=(*read.invalid, *runner.invalid),
        coverage=coverage,
        mutation=mutation,
    )


def _meant(trial: Trial, only: str) -> bool:
    wanted = only.lower()
    return wanted in f"{trial.file} {trial.rule} {trial.label}".lower()


class _Runner:
    """Runs trials kind by kind and keeps what came of them."""

    def __init__(self, bench: Bench) -> None:
        self.judges = judges(bench)
        self._cores = bench.cores
        self.passed: set[int] = set()
        self.failures: list[Failure] = []
        self.invalid: list[Invalid] = []

    def run(self, trials: Sequence[Trial]) -> None:
        """Run all; failures and mistakes come out in the order of the trials."""
        found: dict[int, Failure] = {}
        asked = [(judge, [t for t in trials if t.kind == kind]) for kind, judge in self.judges.items()]
        asked = [(judge, own) for judge, own in asked if own]
        with ThreadPoolExecutor(max(1, min(len(asked), self._cores))) as pool:
            answers = list(pool.map(lambda one: _observed(*one), asked))
        for (judge, _), (observed, invalid) in zip(asked, answers, strict=True):
            self.invalid += invalid
            for trial, actual in observed:
                otherwise = tuple(wrong(trial, actual))
                if not otherwise:
                    self.passed.add(trial.number)
                    continue
                lines, hint = ((), "") if len(found) >= EXPLAINED else judge.explain(trial, actual)
                found[trial.number] = Failure(
                    file=trial.file,
                    test=trial.test,
                    case=trial.case,
                    rule=trial.rule,
                    clock=trial.clock,
                    differences=otherwise,
                    explanation=lines,
                    hint=hint,
                )
        self.failures = [found[number] for number in sorted(found)]


def _observed(judge: Judge, trials: Sequence[Trial]) -> tuple[list[tuple[Trial, Actual]], list[Invalid]]:
    """What came out of each trial; a rule that cannot be asked makes its tests invalid."""
    rules: dict[str, Any] = {}
    groups: dict[str, list[Trial]] = {}
    invalid: list[Invalid] = []
    for trial in trials:
        key = trial.subject or trial.text
        try:
            judge.check(trial)
            if key not in rules:
                rules[key] = judge.rule(trial)
            groups.setdefault(key, []).append(trial)
        except SfactlError as err:
            hint = f" {err.hint}" if err.hint and err.hint.startswith("Did you mean") else ""
            invalid.append(Invalid(file=trial.file, message=_placed(trial, f"{err.message}{hint}")))
    asked = [Asked(rule=rules[key], trials=tuple(own)) for key, own in groups.items()]
    answers, refused = _answers(judge, asked)
    by_number = {number: actual for one in answers for number, actual in one.items()}
    return [(trial, by_number[trial.number]) for trial in trials if trial.number in by_number], invalid + refused


def _answers(judge: Judge, asked: Sequence[Asked[Any]]) -> tuple[list[Mapping[int, Actual]], list[Invalid]]:
    """What came out of each that is asked, and what cannot be asked."""
    try:
        return (list(judge.observe(asked)) if asked else []), []
    except UserError:
        found: list[Mapping[int, Actual]] = []  # one rule is wrong: the others are asked without it
        invalid: list[Invalid] = []
        for one in asked:
            try:
                found += judge.observe([one])
            except UserError as err:
                invalid += [Invalid(file=trial.file, message=_placed(trial, err.message)) for trial in one.trials[:1]]
        return found, invalid


def _placed(trial: Trial, message: str) -> str:
    return message if message.startswith(trial.file) else f"{trial.file}: {trial.label}: {message}"
