"""What a report is made of: counts with their intervals, and for every figure the way to get it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sfactl.api.errors import UserError
from sfactl.insight.share import Share
from sfactl.insight.sheet import Sheet

STAGES = ("lead", "mql", "sql", "opportunity", "quote", "order", "paid")
"""The way of a lead, in order. Who came to one stage has come to all before it."""

OUTCOMES = (*STAGES[1:], "won")
"""What a source or score can be measured by: a stage of the way, or a deal won."""

PARTS = ("source", "channel", "direction", "event", "country", "owner", "campaign", "month", "week", "quarter")
"""What a cohort can be parted by."""

AGES = ("not due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "over 90 days")
"""Ages of what customers owe, counted from the due date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report looks at: days in the workspace's zone, both included, and what had happened by ``valid_at``.

    None is without bound. What was known when is the session's ``as_of``.
    """

    since: date | None = None
    until: date | None = None
    valid_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise UserError(f"--from {self.since} is later than --to {self.until}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The leads first met in a period (both days included; None: without bound), as known at a commit."""

    since: date | None = None
    until: date | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStage:
    """How many came to a stage. Rates are None where nobody came to the stage before."""

    stage: str
    leads: int
    of_previous: float | None
    of_leads: float | None
    median_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """The way of one part of a cohort; ``part`` is empty for the whole."""

    part: str
    stages: tuple[FunnelStage, ...]

    @property
    def end_to_end(self) -> float | None:
        """The share of leads that came to the last stage."""
        return self.stages[-1].of_leads


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelReport:
    """The funnel of a cohort, whole or in parts."""

    cohort: Cohort
    by: str
    funnels: tuple[Funnel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartOutcome:
    """How one part of a cohort came to an outcome; ``under_way`` may still get there."""

    part: str
    share: Share
    under_way: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """Conversion of each part of a cohort to one outcome, best lower bound first."""

    cohort: Cohort
    by: str
    outcome: str
    total: Share
    parts: tuple[PartOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreBand:
    """About a fifth of the leads, by their points before a person took them up, and what came of them."""

    low: float
    high: float
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReliability:
    """Whether higher points went with more outcomes.

    ``auc`` is the chance that of two leads, one with and one without the outcome, the first had more points: 0.5 is a
    coin, 1 is perfect, None where there is only one kind.
    """

    score: str
    outcome: str
    auc: float | None
    bands: tuple[ScoreBand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreReport:
    """The reliability of every score that has a history."""

    cohort: Cohort
    scores: tuple[ScoreReliability, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignResult:
    """What a campaign sent, what came back, and how recipients did against the control group, if there was one."""

    campaign: str
    accepted: int
    refused: int
    unknown: int
    opened: Share
    clicked: Share
    unsubscribed: Share
    outcome: Share
    control: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """All campaigns that sent something to the cohort."""

    cohort: Cohort
    outcome: str
    campaigns: tuple[CampaignResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStage:
    """The deals in one stage and currency; ``weighted`` is their value times the chance of the stage."""

    pipeline: str
    stage: str
    category: str
    currency: str
    probability: float
    deals: int
    amount: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineReport:
    """All deals by stage."""

    seq: int
    stages: tuple[PipelineStage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """What is owed in one currency at one age."""

    currency: str
    age: str
    invoices: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingReport:
    """Unpaid invoices by age on a day."""

    seq: int
    on: date
    ages: tuple[Age, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turnover:
    """What the cohort ordered in one currency and what was paid of it."""

    currency: str
    orders: int = 0
    ordered: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyReport:
    """What a cohort ordered and paid, by currency."""

    cohort: Cohort
    turnover: tuple[Turnover, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything the page shows, read at one commit."""

    title: str
    cohort: Cohort
    read_at: datetime
    language: str
    currency: str
    funnel: Funnel
    months: tuple[Funnel, ...]
    turnover: tuple[Turnover, ...]
    sources: OutcomeReport
    cohorts: Sheet
    attribution: Sheet
    speed: Sheet
    sleeping: Sheet
    scores: ScoreReport
    campaigns: CampaignReport
    pipeline: PipelineReport
    ageing: AgeingReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWritten:
    """A report page on disk."""

    file: str
    size: int
    seq: int
    leads: int
