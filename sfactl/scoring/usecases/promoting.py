"""List models, and make one the champion: a worse one only with force, which is recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, PolicyError, UserError
from sfactl.scoring import files
from sfactl.scoring.answers import ModelRow, Promoted
from sfactl.scoring.metrics import Interval, auc, auc_difference
from sfactl.scoring.model import Score
from sfactl.scoring.models import Model, model_of
from sfactl.scoring.usecases.history import Lookback
from sfactl.scoring.usecases.model_store import MODELS, champion, learner, stored, unfit, version_of, write_models
from sfactl.scoring.usecases.training import scored

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

FEWEST = 10
"""Fewer leads of an outcome than this compare nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Two models on the same leads."""

    leads: int = 0
    auc: float | None = None
    auc_before: float | None = None
    difference: Interval | None = None
    problem: str = ""


def models(session: Session, name: str | None = None) -> tuple[ModelRow, ...]:
    """The models of one score, or of all, newest first within a score. Raises `NotFound` for the score."""
    if name is not None:
        files.named(files.read_scores(session.folder), name)
    with session.query() as query:
        return tuple(_listed(row) for row in stored(query, name))


def _listed(row: Any) -> ModelRow:
    try:
        model, note = model_of(row), ""
    except DataError as err:
        model, note = None, err.message
    metrics = model.metrics if model is not None else {}
    return ModelRow(
        score=row["score"],
        version=row["version"],
        state=row["state"],
        trained_at=row["trained_at"],
        strategy=row["strategy"],
        leads=row["leads"],
        won=row["won"],
        features=len(model.features) if model else 0,
        refused=len(model.refused) if model else 0,
        auc=metrics["auc"]["value"] if metrics else None,
        brier=metrics["brier"]["value"] if metrics else None,
        hash=row["hash"],
        note=note or ("forced: " + (row["reason"] or "") if row["forced"] else row["reason"] or ""),
    )


def promote(session: Session, name: str, version: int, *, force: bool = False, reason: str | None = None) -> Promoted:
    """Make model ``version`` of score ``name`` the champion.

    It is compared with the champion on the leads that neither learned from. Where it is worse, or nothing can be
    compared, ``force`` is needed and kept with the model. Raises `PolicyError`, `NotFound`, `DataError`.
    """
    score = files.named(files.read_scores(session.folder), name)
    with session.query() as query:
        model = version_of(query, name, version)
        before = _before(query, name)
        if model.state == "champion":
            raise UserError(f"model {version} of {name!r} is the champion already")
        if why := unfit(session, score, model):
            raise PolicyError(f"model {version} of {name!r} cannot be used: {why}")
        compared = _compared(session, query, score, model, before)
    if compared.problem and not force:
        raise PolicyError(compared.problem, hint="With --force it is promoted all the same, and that is recorded.")
    with session.write(MODELS) as tx:
        rows = [
            replace(
                model,
                state="champion",
                promoted_at=session.now(),
                promoted_by=session.actor,
                forced=bool(compared.problem),
                reason=reason or compared.problem or None,
            ).row()
        ]
        rows += [{**row, "state": "retired"} for row in stored(tx.query, name) if row["state"] == "champion"]
        write_models(tx, rows)
        commit = tx.commit(score=name, version=version, forced=bool(compared.problem)).seq
    return Promoted(
        score=name,
        version=version,
        before=before.version if before else None,
        leads=compared.leads,
        auc=compared.auc,
        auc_before=compared.auc_before,
        difference=compared.difference,
        forced=bool(compared.problem),
        commit=commit,
        dry_run=session.dry_run,
    )


def _before(query: Query, name: str) -> Model | None:
    try:
        return champion(query, name)
    except DataError:
        # One that cannot be read cannot be better.
        return None


def _compared(session: Session, query: Query, score: Score, model: Model, before: Model | None) -> Compared:
    if before is None or unfit(session, score, before):
        return Compared()
    lookback = Lookback(session, query, score)
    tables = [lookback.history(session, _asking(score, one)) for one in (model, before)]
    shared = tables[0].only(tables[1].lead_ids)
    out = model.split.held_out(shared.lead_ids, shared.at) & before.split.held_out(shared.lead_ids, shared.at)
    won = shared.won[out]
    if min(won.sum(), len(won) - won.sum()) < FEWEST:
        return Compared(
            leads=len(won), problem=f"only {len(won):,} leads were held out from both models, too few to compare"
        )
    strategy = learner(session, score)
    points = [
        scored(session, score, strategy, table.only(shared.lead_ids[out]).table, one.parameters)
        for table, one in zip(tables, (model, before), strict=True)
    ]
    difference = auc_difference(won, *points)
    found = [auc(won, each).value for each in points]
    problem = ""
    if difference.value < 0:
        problem = (
            f"model {model.version} is worse than the champion {before.version}: AUC {found[0]:.3f} against"
            f" {found[1]:.3f} on {len(won):,} leads that neither learned from"
        )
    return Compared(leads=len(won), auc=found[0], auc_before=found[1], difference=difference, problem=problem)


def _asking(score: Score, model: Model) -> Score:
    """``score`` with the features that ``model`` learned from, as they were then."""
    return replace(
        score,
        features=tuple(one.name for one in model.features if one.measure is None),
        measures={one.name: one.measure for one in model.features if one.measure is not None},
        known_after_outcome=(),
        allow=(),
    )
