"""What the commands of ``sfactl score`` answer with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sfactl.scoring.guard import Refused
from sfactl.scoring.metrics import Interval, Metrics
from sfactl.scoring.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One score file and what is stored of it: how many leads have it, and when it last changed one."""

    name: str
    strategy: str
    rules: int
    leads: int
    last_changed: datetime | None
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check found: the number of files, and one message for each mistake."""

    checked: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeCount:
    """How many leads have a grade; None for those below all grades."""

    grade: str | None
    leads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run did to one score: leads scored, and how many stored values are new, went up, went down or away."""

    name: str
    leads: int
    new: int
    up: int
    down: int
    gone: int
    grades: tuple[GradeCount, ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A score that could not be computed, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What a run changed. ``commit`` is None where nothing changed, or in a dry run. ``matrix`` only if asked for."""

    at: datetime
    commit: int | None
    dry_run: bool
    scores: tuple[Ran, ...]
    skipped: tuple[Skipped, ...] = ()
    matrix: Matrix | None = None

    @property
    def changed(self) -> bool:
        """Whether any stored value differs from before."""
        return any(ran.new or ran.up or ran.down or ran.gone for ran in self.scores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One stored score of a lead."""

    score: str
    points: float
    grade: str | None
    as_of: datetime
    strategy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One score of one lead, computed anew at the command's time, and what is stored of it.

    ``reasons`` add up to ``points`` exactly. ``was_right`` says whether the stored value is what today's data gives
    for the time it was computed at (None where nothing is stored, or the values agree anyway). ``note`` says which
    model it was computed with, or which rule score instead.
    """

    score: str
    points: Decimal
    grade: str | None
    reasons: tuple[Reason, ...]
    rules: tuple[tuple[str, str, str], ...] = ()
    stored: float | None = None
    stored_at: datetime | None = None
    stored_commit: int | None = None
    agrees: bool = False
    was_right: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadExplained:
    """All scores of one lead, explained."""

    lead_id: int
    lead: str
    at: datetime
    scores: tuple[Explained, ...]
    cell: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRow:
    """Leads with one grade of the first score, by their grade of the second."""

    grade: str
    leads: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """How many leads are in each cell of two scores' grades."""

    down: str
    across: str
    grades: tuple[str, ...]
    rows: tuple[MatrixRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training came to. ``kept`` is False where nothing was learned, or nothing new; ``note`` says why.

    ``known`` counts the leads that were known before their outcome, ``untimed`` outcomes without a time, ``left_out``
    those of them that could not be used.
    """

    score: str
    leads: int
    won: int
    kept: bool
    note: str = ""
    version: int | None = None
    state: str = ""
    strategy: str = ""
    first_at: datetime | None = None
    last_at: datetime | None = None
    known: int = 0
    untimed: int = 0
    left_out: int = 0
    split: str = ""
    features: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()
    allowed: tuple[Refused, ...] = ()
    metrics: Metrics | None = None
    hash: str = ""
    commit: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """One score in a backtest; ``difference`` is its AUC less that of the score it is compared with."""

    score: str
    strategy: str
    note: str
    metrics: Metrics
    difference: Interval | None = None
    features: tuple[str, ...] = ()
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The leads with an outcome, ``known`` of them before it, and how each score did on those that were held out."""

    commit: int
    leads: int
    won: int
    known: int
    untimed: int
    split: str
    learned_from: int
    against: str | None
    scores: tuple[Tested, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRow:
    """One model as it is listed."""

    score: str
    version: int
    state: str
    trained_at: datetime
    strategy: str
    leads: int
    won: int
    features: int
    refused: int
    auc: float | None
    brier: float | None
    hash: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoted:
    """A model that became champion, and how it compares with the one before on leads that neither learned from."""

    score: str
    version: int
    before: int | None
    leads: int
    auc: float | None
    auc_before: float | None
    difference: Interval | None
    forced: bool
    commit: int | None
    dry_run: bool
