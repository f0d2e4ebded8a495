"""What the tests of a run saw of the rules, and what of the workspace's rules no test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sfactl.proofs.model import Coverage, Covered, Kind, Trial
from sfactl.proofs.usecases.bench import Bench
from sfactl.proofs.usecases.kinds import Judge

FOLDERS: Mapping[str, str] = {"segment": "segments", "score": "scores", "strategy": "strategies"}
"""Kinds whose rules are files of a folder."""


def coverage_of(bench: Bench, judges: Mapping[Kind, Judge], trials: Sequence[Trial]) -> Coverage:
    """Everything that the tested rules can do, with how often it was seen."""
    items: list[Covered] = []
    for judge in dict.fromkeys(judges.values()):
        own = [trial for trial in trials if judges.get(trial.kind) is judge]
        items += judge.coverage(own) if own else []
    return Coverage.of(items, _untested(bench, trials))


def _untested(bench: Bench, trials: Sequence[Trial]) -> list[str]:
    tested = {(trial.kind, trial.subject) for trial in trials}
    folder = bench.session.folder
    return [
        f"{kind} {path.stem}"
        for kind, name in FOLDERS.items()
        for path in sorted((folder / name).glob("*.toml"))
        if (kind, path.stem) not in tested
    ]
