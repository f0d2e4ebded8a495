"""Turn the rows of the report queries into reports. Pure: no workspace, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from sfactl.insight.model import (
    AGES,
    STAGES,
    Age,
    CampaignResult,
    Cohort,
    Funnel,
    FunnelStage,
    OutcomeReport,
    PartOutcome,
    PipelineStage,
    ScoreBand,
    ScoreReliability,
    Turnover,
)
from sfactl.insight.share import share

Row = Mapping[str, Any]


def funnels(rows: Sequence[Row]) -> tuple[Funnel, ...]:
    """One funnel for each part; an empty cohort is one funnel of noughts."""
    if not rows:
        return (_funnel("", [{"stage": stage, "leads": 0, "median_days": None} for stage in STAGES]),)
    return tuple(_funnel(part, list(group)) for part, group in groupby(rows, key=itemgetter("part")))


def _funnel(part: str, rows: Sequence[Row]) -> Funnel:
    stages: list[FunnelStage] = []
    first = rows[0]["leads"]
    for row in rows:
        previous = stages[-1].leads if stages else row["leads"]
        stages.append(
            FunnelStage(
                stage=row["stage"],
                leads=row["leads"],
                of_previous=row["leads"] / previous if previous else None,
                of_leads=row["leads"] / first if first else None,
                median_days=row["median_days"],
            )
        )
    return Funnel(part=part, stages=tuple(stages))


def outcomes(rows: Iterable[Row], *, cohort: Cohort, by: str, outcome: str) -> OutcomeReport:
    """Parts by the lower bound of their rate, so that few lucky leads do not lead the list."""
    parts = [
        PartOutcome(part=row["part"], share=share(row["hits"], row["leads"]), under_way=row["under_way"])
        for row in rows
    ]
    return OutcomeReport(
        cohort=cohort,
        by=by,
        outcome=outcome,
        total=share(sum(p.share.hits for p in parts), sum(p.share.of for p in parts)),
        parts=tuple(sorted(parts, key=lambda p: (-p.share.low, p.part))),
    )


def reliability(rows: Iterable[Row], *, outcome: str) -> tuple[ScoreReliability, ...]:
    """One report for each score. The area under the curve comes from the rank sum.

    Mann, H. B., Whitney, D. R. (1947), doi:10.1214/aoms/1177730491; ties have their middle rank.
    """
    reports = []
    for score, group in groupby(rows, key=itemgetter("score")):
        bands = list(group)
        hits = sum(b["hits"] for b in bands)
        misses = sum(b["leads"] for b in bands) - hits
        above = float(sum(b["rank_sum"] for b in bands)) - hits * (hits + 1) / 2
        reports.append(
            ScoreReliability(
                score=score,
                outcome=outcome,
                auc=above / (hits * misses) if hits and misses else None,
                bands=tuple(ScoreBand(low=b["low"], high=b["high"], share=share(b["hits"], b["leads"])) for b in bands),
            )
        )
    return tuple(reports)


def campaigns(rows: Iterable[Row]) -> tuple[CampaignResult, ...]:
    """One result for each campaign; what recipients did is measured against those whom a message reached."""
    return tuple(
        CampaignResult(
            campaign=row["campaign"],
            accepted=row["accepted"],
            refused=row["refused"],
            unknown=row["unknown"],
            opened=share(row["opened"], row["recipients"]),
            clicked=share(row["clicked"], row["recipients"]),
            unsubscribed=share(row["unsubscribed"], row["recipients"]),
            outcome=share(row["hits"], row["recipients"]),
            control=share(row["control_hits"], row["control"]),
        )
        for row in rows
    )


def pipeline(rows: Iterable[Row], order: Mapping[str, Sequence[str]]) -> tuple[PipelineStage, ...]:
    """Deals by stage, in the order of their pipeline; a stage that is no longer written down comes last."""
    stages = [PipelineStage(**{**row, "currency": row["currency"] or ""}) for row in rows]

    def place(stage: PipelineStage) -> tuple[str, str, int, str]:
        names = list(order.get(stage.pipeline, ()))
        at = names.index(stage.stage) if stage.stage in names else len(names)
        return stage.pipeline, stage.currency, at, stage.stage

    return tuple(sorted(stages, key=place))


def ages(rows: Iterable[Row]) -> tuple[Age, ...]:
    """Every age of every currency that is owed at all, noughts included."""
    found = {(row["currency"], row["age_no"]): row for row in rows}
    currencies = sorted({currency for currency, _ in found})
    nothing = {"invoices": 0, "open_amount": 0}
    shown = []
    for currency in currencies:
        for number, age in enumerate(AGES):
            row = found.get((currency, number), nothing)
            shown.append(Age(currency=currency, age=age, invoices=row["invoices"], amount=row["open_amount"]))
    return tuple(shown)


def turnover(rows: Iterable[Row]) -> tuple[Turnover, ...]:
    """What was ordered and paid, the largest currency first."""
    return tuple(Turnover(**row) for row in rows)


def day(value: date | None) -> str:
    """A bound of a period for people."""
    return "…" if value is None else value.isoformat()
