"""Train learning scores: collect the history, refuse what leaks, learn, measure on held-out leads, keep the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, PluginError, SfactlError, UserError
from sfactl.api.protocols import LearningScoring
from sfactl.scoring import files, guard, parts
from sfactl.scoring.answers import Trained
from sfactl.scoring.guard import Verdict
from sfactl.scoring.metrics import Metrics, measured
from sfactl.scoring.model import Score
from sfactl.scoring.models import Input, Model, canonical, fingerprint
from sfactl.scoring.splitting import How, Split, split_of
from sfactl.scoring.usecases.history import History, Lookback
from sfactl.scoring.usecases.model_store import MODELS, answered, learner, shortage, stored, write_models

if TYPE_CHECKING:
    from sfactl.session import Session

TEST_SHARE = 0.25
TARGET = "won"


def train(
    session: Session,
    name: str,
    *,
    split: How | None = None,
    test_share: float = TEST_SHARE,
    valid_at: str | None = None,
) -> Trained:
    """Learn score ``name`` from the leads whose outcome is known as of ``--as-of`` and keep the model.

    A part is held out to measure it on, and is not learned from. The first model becomes champion, later ones
    challengers. With too few outcomes nothing is kept, and the answer says what is missing; the same data make the same
    model, which is not kept twice. Raises `ConfigError`, `ConditionError`, `DataError`.
    """
    score = files.named(files.read_scores(session.folder), name)
    strategy = learner(session, score)
    with session.query() as query:
        lookback = Lookback(session, query, score, session.moment(valid_at) if valid_at else None)
        history = lookback.history(session, score)
        seq = query.seq
    leads, won = len(history.won), int(history.won.sum())
    if missing := shortage(score, leads, won):
        return _too_few(name, history, missing)
    chosen = halves(history, split, test_share, session.seed)
    out = chosen.held_out(history.lead_ids, history.at)
    verdict = inspected(score, history, ~out)
    parameters, metrics = learned(session, score, strategy, history, out, verdict.kept)
    model = Model(
        score=name,
        version=1,
        state="challenger",
        trained_at=session.now(),
        seq=seq,
        strategy=score.strategy,
        made_by=session.host.find("scoring_strategy", score.strategy).version,
        hash="",
        leads=leads,
        won=won,
        first_at=_bound(history, "min"),
        last_at=_bound(history, "max"),
        split=chosen,
        features=known_inputs(score, history, verdict.kept),
        refused=tuple(asdict(one) for one in verdict.refused),
        allowed=tuple(asdict(one) for one in verdict.allowed),
        metrics=asdict(metrics),
        parameters=parameters,
    )
    model = replace(model, hash=fingerprint(model.row()["parameters"], model.row()["features"], model.row()["split"]))
    return _keep(session, history, verdict, model, metrics)


def _too_few(name: str, history: History, missing: str) -> Trained:
    left = f" ({history.left_out:,} more have no time, which measures need)" if history.left_out else ""
    return Trained(
        score=name,
        leads=len(history.won),
        won=int(history.won.sum()),
        kept=False,
        note=f"not trained: {missing}{left}",
        untimed=history.untimed,
        left_out=history.left_out,
        known=history.known,
    )


def halves(history: History, how: How | None, share: float, seed: int) -> Split:
    """The split; by default by time where that leaves both outcomes on both sides. Raises `UserError`."""
    if not 0 < share < 1:
        raise UserError(f"the held-out share {share} is not between 0 and 1")
    found = split_of(how, share, seed, history.at)
    if how is None and found.how == "time" and not _both(history, found):
        found = split_of("random", share, seed, history.at)
    if not _both(history, found):
        raise UserError(
            f"split {found.phrase}: one side has no won or no lost lead",
            hint="Take a greater share (--test-share 0.5), --split random, or wait for more outcomes.",
        )
    return found


def _both(history: History, split: Split) -> bool:
    out = split.held_out(history.lead_ids, history.at)
    return all(0 < history.won[side].sum() < side.sum() for side in (out, ~out))


def inspected(score: Score, history: History, rows: Any) -> Verdict:
    """What the guard says of the features, looking at the leads ``rows`` only."""
    return guard.inspect(
        history.rows(rows),
        [one.name for one in history.features],
        history.won[rows],
        late=history.late,
        declared=score.known_after_outcome,
        allow=score.allow,
        unusable=history.unusable,
    )


def learned(
    session: Session, score: Score, strategy: LearningScoring, history: History, out: Any, kept: Sequence[str]
) -> tuple[Mapping[str, Any], Metrics]:
    """The parameters learned from the leads that ``out`` does not mark, and the figures on those that it does.

    Raises `DataError` where no feature is left.
    """
    import json

    if not kept:
        raise DataError(
            f"scores/{score.name}.toml: no feature is left to learn from",
            hint="See what the guard refused: sfactl score train NAME --dry-run, or name others in features.",
        )
    table = history.rows(~out).select(["lead_id", TARGET, *kept])
    label = session.host.find("scoring_strategy", score.strategy).label
    try:
        # What is kept is what is measured: scoring starts from the text, not from the object.
        parameters = json.loads(canonical(strategy.train(table, list(kept), target=TARGET, seed=session.seed)))
    except SfactlError:
        raise
    except Exception as err:
        raise PluginError(f"{label}: training {score.strategy!r} failed: {err!r}") from err
    points = scored(session, score, strategy, history.rows(out), parameters)
    return parameters, measured(history.won[out], points, points / 100, float(history.won[~out].mean()))


def scored(session: Session, score: Score, strategy: LearningScoring, rows: Any, parameters: Mapping[str, Any]) -> Any:
    """The score of each lead in ``rows`` (ascending by lead_id) in percent."""
    import numpy as np

    found, points = parts.lead_totals(answered(session, score, strategy, rows, parameters))
    every = np.zeros(rows.num_rows)
    every[np.searchsorted(rows.column("lead_id").to_numpy(), found)] = points
    return parts.total_units(every, 10_000) / 10_000


def known_inputs(score: Score, history: History, kept: Sequence[str]) -> tuple[Input, ...]:
    """The features ``kept`` as a model remembers them."""
    import pyarrow as pa

    names = {pa.string(): "text", pa.bool_(): "yes/no"}
    return tuple(
        Input(
            name=name, type=names.get(history.table.schema.field(name).type, "number"), measure=score.measures.get(name)
        )
        for name in kept
    )


def _keep(session: Session, history: History, verdict: Verdict, model: Model, metrics: Metrics) -> Trained:
    with session.write(MODELS) as tx:
        rows = stored(tx.query, model.score)
        same = next((row for row in rows if row["hash"] == model.hash), None)
        version = same["version"] if same else max((row["version"] for row in rows), default=0) + 1
        first = not any(row["state"] == "champion" for row in rows)
        state = same["state"] if same else "champion" if first else "challenger"
        model = replace(model, version=version, state=state)
        if state == "champion":
            model = replace(model, promoted_at=session.now(), promoted_by=session.actor)
        commit = None
        if same is None:
            write_models(tx, [model.row()])
            commit = tx.commit(score=model.score, version=version, state=state).seq
    note = f"model {version} has learned the same; nothing is kept twice" if same else ""
    return Trained(
        score=model.score,
        leads=model.leads,
        won=model.won,
        kept=same is None,
        note=note,
        version=version,
        state=state,
        strategy=model.strategy,
        first_at=model.first_at,
        last_at=model.last_at,
        known=history.known,
        untimed=history.untimed,
        left_out=history.left_out,
        split=model.split.phrase,
        features=verdict.kept,
        refused=verdict.refused,
        allowed=verdict.allowed,
        metrics=metrics,
        hash=model.hash,
        commit=commit,
        dry_run=session.dry_run,
    )


def _bound(history: History, which: str) -> Any:
    import numpy as np

    known = history.at[~np.isnat(history.at)]
    return getattr(known, which)().item() if len(known) else None
