"""Plant mistakes into the tested rules, ask all of them the cases of their rule, and tell which nobody noticed.

All mutants of a rule go into few statements. A mutant is killed when a case that passes on the rule as it is comes out
otherwise, or when the rule with the mistake cannot be asked at all. Only a proof takes a mutant out of the count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sfactl.api.errors import SfactlError
from sfactl.proofs.asked import Asked
from sfactl.proofs.expectations import wrong
from sfactl.proofs.model import Actual, Kind, MutantResult, Mutation, Trial
from sfactl.proofs.mutants.model import Mutant, Planted
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.usecases.kinds import Judge

AT_ONCE = 60
"""So many mutants are asked together, so that progress shows."""


def mutation_of(bench: Bench, judges: Mapping[Kind, Judge], passed: Sequence[Trial], *, most: int = 0) -> Mutation:
    """The fate of every mutant of the rules that ``passed`` are about; of ``most`` at most, picked by the seed."""
    planted: list[tuple[Judge, Planted]] = []
    left_out: list[str] = []
    for judge in dict.fromkeys(judges.values()):
        own = [trial for trial in passed if judges.get(trial.kind) is judge]
        if own:
            found, refused = judge.mutants(own)
            planted += [(judge, one) for one in found]
            left_out += refused
    if most and len(planted) > most:
        left_out.append(f"{len(planted) - most:,} of {len(planted):,} mutants, by --mutants {most}")
        chosen = sorted(bench.session.random("mutants").sample(range(len(planted)), most))
        planted = [planted[place] for place in chosen]
    results: list[MutantResult] = []
    with bench.session.progress("Mistakes planted", len(planted)) as progress:
        for judge in dict.fromkeys(judge for judge, _ in planted):
            mutants = [one for owner, one in planted if owner is judge]
            for start in range(0, len(mutants), AT_ONCE):
                part = mutants[start : start + AT_ONCE]
                results += _fates(judge, part)
                progress.advance(len(part))
    return Mutation.of(results, left_out)


def _fates(judge: Judge, planted: Sequence[Planted]) -> list[MutantResult]:
    told = [one for one in planted if not one.mutant.equivalent]
    answers = iter(_answers(judge, [Asked(rule=one.mutant.rule, trials=one.trials, to_break=True) for one in told]))
    results = []
    for one in planted:
        mutant: Mutant[Any] = one.mutant
        killer = "" if mutant.equivalent else _killer(one.trials, next(answers))
        results.append(
            MutantResult(
                rule=one.rule,
                file=one.file,
                place=mutant.place,
                change=mutant.change,
                state="equivalent" if mutant.equivalent else "killed" if killer else "survived",
                killed_by=killer,
                missing="" if killer or mutant.equivalent else mutant.missing,
                proof=mutant.equivalent,
            )
        )
    return results


def _answers(judge: Judge, asked: Sequence[Asked[Any]]) -> list[Mapping[int, Actual] | str]:
    """What came out under each mutant, or why it cannot be asked. Those that cannot are found by halving."""
    if not asked:
        return []
    try:
        return list(judge.observe(asked))
    except SfactlError as err:
        if len(asked) == 1:
            return [err.message]
    middle = len(asked) // 2
    return [*_answers(judge, asked[:middle]), *_answers(judge, asked[middle:])]


def _killer(trials: Sequence[Trial], answer: Mapping[int, Actual] | str) -> str:
    """The first trial that comes out otherwise than expected; empty where none does."""
    if isinstance(answer, str):
        return f"cannot be asked: {answer}"
    for trial in trials:
        # Where one trial was enough to break the rule, the others were not asked.
        if trial.number in answer and next(wrong(trial, answer[trial.number]), None) is not None:
            return f"{trial.file} · {trial.label}"
    return ""
