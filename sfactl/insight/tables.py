"""Reports as flat tables, for CSV, JSON lines, Parquet and the terminal. Each row says which commit it is from."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pyarrow as pa

from sfactl.insight.model import (
    AgeingReport,
    CampaignReport,
    FunnelReport,
    MoneyReport,
    OutcomeReport,
    PipelineReport,
    ScoreReport,
)

MONEY = pa.decimal128(18, 4)
RATE = pa.float64()
COUNT = pa.int64()
TEXT = pa.string()


def funnel(report: FunnelReport) -> pa.Table:
    """One row is a stage."""
    columns = {
        "stage": TEXT,
        "leads": COUNT,
        "of_previous": RATE,
        "of_leads": RATE,
        "median_days": RATE,
        "commit": COUNT,
    }
    return _table(
        columns,
        [
            (s.stage, s.leads, s.of_previous, s.of_leads, s.median_days, report.cohort.seq)
            for s in report.funnels[0].stages
        ],
    )


def funnel_by_part(report: FunnelReport) -> pa.Table:
    """One row is a part of the cohort with a column for each stage, and the rate from end to end."""
    stages = [s.stage for s in report.funnels[0].stages]
    columns = {report.by: TEXT, **dict.fromkeys(stages, COUNT), "end_to_end": RATE, "commit": COUNT}
    return _table(
        columns,
        [
            (f.part, *(s.leads for s in f.stages), f.end_to_end, report.cohort.seq)
            for f in report.funnels
            if f.part or f.stages[0].leads
        ],
    )


def outcomes(report: OutcomeReport) -> pa.Table:
    """One row is a part of the cohort."""
    columns = {
        report.by: TEXT,
        "leads": COUNT,
        report.outcome: COUNT,
        "rate": RATE,
        "low": RATE,
        "high": RATE,
        "under_way": COUNT,
        "commit": COUNT,
    }
    return _table(
        columns,
        [
            (p.part, p.share.of, p.share.hits, p.share.rate, p.share.low, p.share.high, p.under_way, report.cohort.seq)
            for p in report.parts
        ],
    )


def scores(report: ScoreReport) -> pa.Table:
    """One row is a band of points of one score."""
    columns = {
        "score": TEXT,
        "from_points": RATE,
        "to_points": RATE,
        "leads": COUNT,
        "opportunities": COUNT,
        "rate": RATE,
        "low": RATE,
        "high": RATE,
        "auc": RATE,
        "commit": COUNT,
    }
    return _table(
        columns,
        [
            (
                s.score,
                b.low,
                b.high,
                b.share.of,
                b.share.hits,
                b.share.rate,
                b.share.low,
                b.share.high,
                s.auc,
                report.cohort.seq,
            )
            for s in report.scores
            for b in s.bands
        ],
    )


def campaigns(report: CampaignReport) -> pa.Table:
    """One row is a campaign."""
    columns = {
        "campaign": TEXT,
        "accepted": COUNT,
        "refused": COUNT,
        "unknown": COUNT,
        "recipients": COUNT,
        "opened": COUNT,
        "clicked": COUNT,
        "unsubscribed": COUNT,
        "opportunities": COUNT,
        "control": COUNT,
        "control_opportunities": COUNT,
        "commit": COUNT,
    }
    return _table(
        columns,
        [
            (
                c.campaign,
                c.accepted,
                c.refused,
                c.unknown,
                c.outcome.of,
                c.opened.hits,
                c.clicked.hits,
                c.unsubscribed.hits,
                c.outcome.hits,
                c.control.of,
                c.control.hits,
                report.cohort.seq,
            )
            for c in report.campaigns
        ],
    )


def turnover(report: MoneyReport) -> pa.Table:
    """One row is a currency."""
    columns = {"currency": TEXT, "orders": COUNT, "ordered": MONEY, "paid": MONEY, "commit": COUNT}
    return _table(columns, [(t.currency, t.orders, t.ordered, t.paid, report.cohort.seq) for t in report.turnover])


def pipeline(report: PipelineReport) -> pa.Table:
    """One row is a stage of a pipeline in one currency."""
    columns = {
        "pipeline": TEXT,
        "stage": TEXT,
        "category": TEXT,
        "currency": TEXT,
        "deals": COUNT,
        "amount": MONEY,
        "probability": RATE,
        "weighted": MONEY,
        "commit": COUNT,
    }
    return _table(
        columns,
        [
            (s.pipeline, s.stage, s.category, s.currency, s.deals, s.amount, s.probability, s.weighted, report.seq)
            for s in report.stages
        ],
    )


def ages(report: AgeingReport) -> pa.Table:
    """One row is an age of what is owed in one currency."""
    columns = {
        "currency": TEXT,
        "age": TEXT,
        "invoices": COUNT,
        "open_amount": MONEY,
        "on": pa.date32(),
        "commit": COUNT,
    }
    return _table(
        columns,
        [(a.currency, a.age, a.invoices, Decimal(a.amount), report.on, report.seq) for a in report.ages],
    )


def _table(columns: dict[str, pa.DataType], rows: Sequence[tuple[object, ...]]) -> pa.Table:
    parts = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    arrays = [pa.array(values, kind) for values, kind in zip(parts, columns.values(), strict=True)]
    return pa.table(dict(zip(columns, arrays, strict=True)))
