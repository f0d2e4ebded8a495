"""Backtest scores of every strategy on leads whose outcome is known, each looked at as it was before its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, UserError
from sfactl.api.protocols import LearningScoring, SqlScoring
from sfactl.scoring import files
from sfactl.scoring.answers import Backtest, Tested
from sfactl.scoring.guard import Refused
from sfactl.scoring.metrics import auc_difference, chances_by_points, measured
from sfactl.scoring.model import RULES, Outcome, Score
from sfactl.scoring.rules import totals_statement
from sfactl.scoring.splitting import How
from sfactl.scoring.usecases.history import History, Lookback
from sfactl.scoring.usecases.model_store import fallback_of, shortage
from sfactl.scoring.usecases.strategies import made, plan_at, plugin_rows, plugin_units
from sfactl.scoring.usecases.training import TEST_SHARE, halves, inspected, learned, scored

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The points and chances of all leads of a backtest under one score, and what is to be said about them."""

    points: Any
    chances: Any
    note: str = ""
    features: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where scores are tested: the past of the leads, and which of them are held out."""

    session: Session
    query: Query
    lookback: Lookback
    scores: Mapping[str, Score]
    histories: Mapping[str, History]
    lead_ids: Any
    won: Any
    at: Any
    out: Any


def backtest(
    session: Session,
    names: Sequence[str] = (),
    *,
    split: How | None = None,
    test_share: float = TEST_SHARE,
    valid_at: str | None = None,
    against: str | None = None,
) -> Backtest:
    """Measure the scores ``names`` (default: all) on held-out leads; ``against`` names one to compare them with.

    Scores that learn are learned anew from the other leads; the points of rules and plugins become chances by what the
    other leads show. Raises `ConfigError` where scores foretell different outcomes, `UserError` for too few leads.
    """
    scores = files.read_scores(session.folder)
    chosen = [files.named(scores, name) for name in dict.fromkeys(names)] or list(scores.values())
    other = files.named(scores, against) if against else None
    every = chosen if other is None or other in chosen else [*chosen, other]
    if not every:
        raise UserError("there are no scores", hint="Write one to scores/NAME.toml")
    with session.query() as query:
        target = replace(every[0], outcome=_outcome(every))
        lookback = Lookback(session, query, target, session.moment(valid_at) if valid_at else None)
        bench, phrase = _bench(session, query, lookback, every, split, test_share)
        found = {score.name: _ranked(bench, score) for score in every}
        seq = query.seq
    reference = found[other.name] if other is not None else None
    return Backtest(
        commit=seq,
        leads=len(bench.won),
        won=int(bench.won.sum()),
        known=lookback.known,
        untimed=lookback.untimed,
        split=phrase,
        learned_from=int((~bench.out).sum()),
        against=against,
        scores=tuple(_tested(bench, score, found[score.name], reference) for score in chosen),
    )


def _outcome(scores: Sequence[Score]) -> Outcome:
    """The one outcome that all of ``scores`` foretell; those that state none take that of the others."""
    stated = [score for score in scores if score.outcome != Outcome()]
    for score in stated:
        if score.outcome != stated[0].outcome:
            raise ConfigError(
                f"scores {stated[0].name!r} and {score.name!r} foretell different outcomes",
                hint="Backtest them one by one.",
            )
    return stated[0].outcome if stated else Outcome()


def _bench(
    session: Session,
    query: Query,
    lookback: Lookback,
    scores: Sequence[Score],
    how: How | None,
    share: float,
) -> tuple[Bench, str]:
    import numpy as np

    bare = lookback.outcomes()
    outcome = _outcome(scores)
    learning = [score for score in scores if _learns(session, score)]
    histories = {score.name: lookback.history(session, replace(score, outcome=outcome)) for score in learning}
    common = bare.lead_ids
    for history in histories.values():
        common = np.intersect1d(common, history.lead_ids)
    whole = bare.only(common)
    if not 0 < whole.won.sum() < len(common):
        raise UserError(
            f"{len(common):,} leads have an outcome, {int(whole.won.sum()):,} of them won: a backtest needs both",
            hint="Say what won and lost mean: [outcome] in the score's file.",
        )
    split = halves(whole, how, share, session.seed)
    bench = Bench(
        session=session,
        query=query,
        lookback=lookback,
        scores=files.read_scores(session.folder),
        histories={name: history.only(common) for name, history in histories.items()},
        lead_ids=common,
        won=whole.won,
        at=whole.at,
        out=split.held_out(common, whole.at),
    )
    return bench, split.phrase


def _learns(session: Session, score: Score) -> bool:
    return score.strategy != RULES and isinstance(made(session, score), LearningScoring)


def _ranked(bench: Bench, score: Score) -> Ranked:
    if score.name not in bench.histories:
        return _by_points(bench, _points(bench, score))
    missing = shortage(score, len(bench.won), int(bench.won.sum()))
    if not missing:
        return _by_learning(bench, score)
    fallback = fallback_of(score, bench.scores)
    if fallback is None:
        raise UserError(f"score {score.name!r} cannot be learned: {missing}", hint="Lower min_samples or min_won.")
    return replace(_by_points(bench, _points(bench, fallback)), note=f"rule score {fallback.name} instead: {missing}")


def _by_learning(bench: Bench, score: Score) -> Ranked:
    import numpy as np

    history = bench.histories[score.name]
    strategy = made(bench.session, score)
    assert isinstance(strategy, LearningScoring)
    verdict = inspected(score, history, ~bench.out)
    parameters, _ = learned(bench.session, score, strategy, history, bench.out, verdict.kept)
    points = np.zeros(len(bench.won))
    points[bench.out] = scored(bench.session, score, strategy, history.rows(bench.out), parameters)
    return Ranked(points=points, chances=points / 100, features=verdict.kept, refused=verdict.refused)


def _by_points(bench: Bench, points: Any) -> Ranked:
    chances = chances_by_points(bench.won[~bench.out], points[~bench.out], points)
    return Ranked(points=points, chances=chances, note="points made chances by the leads that are not held out")


def _points(bench: Bench, score: Score) -> Any:
    """The points of a rule score, or of a plugin's, that each lead had before its outcome."""
    import numpy as np

    query, now = bench.query, bench.lookback.now
    if score.strategy == RULES:
        plan = plan_at(bench.session, now)
        sql = f'select lead_id, "_u0" as units from ({totals_statement(plan, [score])})'
        params: Mapping[str, object] = plan.params
        bench.lookback.of(["leads", *plan.relations()])
    else:
        strategy = made(bench.session, score)
        text = strategy.statement().sql if isinstance(strategy, SqlScoring) else str(getattr(strategy, "query", ""))
        bench.lookback.of(["leads", *bench.lookback.datasets_in(text)])
        plugin_rows(bench.session, query, score, now, "tested_rows")
        sql, params = plugin_units(score, "tested_rows"), {}
    rows = query.table(f"select lead_id, units from ({sql}) order by lead_id", params)
    points = np.zeros(len(bench.lead_ids))
    found = rows.column("lead_id").to_numpy()
    wanted = np.isin(found, bench.lead_ids)
    points[np.searchsorted(bench.lead_ids, found[wanted])] = rows.column("units").to_numpy()[wanted] / score.unit
    return points


def _tested(bench: Bench, score: Score, ranked: Ranked, reference: Ranked | None) -> Tested:
    out = bench.out
    won = bench.won[out]
    compared = None
    if reference is not None and reference is not ranked:
        compared = auc_difference(won, ranked.points[out], reference.points[out])
    return Tested(
        score=score.name,
        strategy=score.strategy,
        note=ranked.note,
        metrics=measured(won, ranked.points[out], ranked.chances[out], float(bench.won[~out].mean())),
        difference=compared,
        features=ranked.features,
        refused=ranked.refused,
    )
