"""Types of the leads slice: what an import is told, what it finds and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from sfactl.leads.files.options import DayMonth, FileOptions

Scalar = str | int | float | bool | date | datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Transform:
    """What is done to the values of one field before they are cleaned, in this order.

    ``regex`` keeps its first group (or the whole match), or with ``replace`` puts that in its place. ``split`` cuts and
    keeps ``part`` (from 1; -1 is the last). ``values`` replaces whole values, ``other`` what is not among them.
    ``case`` is lower, upper or title. ``format`` describes dates ("DD/MM/YYYY", "excel"), ``calendar = "roc"`` counts
    years from 1911, ``decimal`` is the decimal sign of numbers. ``country`` is the default for phones and tax ids.
    ``separator`` joins several columns. ``prefix`` goes before the value.
    """

    regex: str | None = None
    replace: str | None = None
    split: str | None = None
    part: int = 1
    values: Mapping[str, Scalar] = field(default_factory=dict)
    other: Scalar | None = None
    case: Literal["lower", "upper", "title"] | None = None
    format: str | None = None
    calendar: Literal["gregorian", "roc"] = "gregorian"
    decimal: Literal[".", ","] | None = None
    country: str | None = None
    separator: str = " "
    prefix: str | None = None


NO_TRANSFORM = Transform()


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """Values that mean "nothing": ``values`` everywhere, ``fields`` only in the field named.

    ``defaults`` false turns off the list that always applies.
    """

    values: tuple[str, ...] = ()
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: bool = True


IdentityKey = Literal["external_id", "email", "phone", "tax_id", "row"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what a row is known again, in this order; ``auto`` takes external id, e-mail, phone with name, as mapped.

    ``namespace`` is whose ids ``external_id`` are; by default the source, else the mapping's name, else the file's.
    """

    key: Literal["auto"] | IdentityKey | tuple[IdentityKey, ...] = "auto"
    namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What happens to a field that a known lead already has: ``overwrite`` takes the newer value, ``fill`` keeps it."""

    mode: Literal["overwrite", "fill"] = "overwrite"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectRules:
    """``reject`` refuses a row with a value that cannot be right; ``blank`` keeps the row without that value."""

    bad_values: Literal["reject", "blank"] = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchRules:
    """Says that a row is an event, too: of the lead it is about, of this ``kind``.

    ``columns``, ``optional``, ``constants`` and ``transforms`` are as for the lead, with the columns of touchpoints;
    ``at``, when it happened, is needed.
    """

    kind: str = "form_submit"
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    constants: Mapping[str, Scalar] = field(default_factory=dict)
    transforms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadMapping:
    """One mapping: how the columns of a kind of file become fields.

    ``columns`` maps a field to the column, or the columns, it is made of. Fields in ``optional`` may lack theirs.
    ``dataset`` says what its rows are; None leaves it to the command.
    """

    name: str
    description: str = ""
    dataset: Literal["leads", "touchpoints", "costs", "orders", "cases"] | None = None
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    constants: Mapping[str, Scalar] = field(default_factory=dict)
    transforms: Mapping[str, Any] = field(default_factory=dict)
    placeholders: Placeholders = field(default_factory=Placeholders)
    file: FileOptions = field(default_factory=FileOptions)
    identity: Identity = field(default_factory=Identity)
    update: Update = field(default_factory=Update)
    rejects: RejectRules = field(default_factory=RejectRules)
    touchpoint: TouchRules | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One field an import fills: from ``columns`` (numbers of staged columns) or from ``constant``."""

    field: str
    type: str
    columns: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    constant: Scalar | None = None
    transform: Transform = NO_TRANSFORM
    placeholders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A mapping laid over the columns of one file: all that cleaning and matching need to know.

    ``guessed`` says that the columns were recognised by their headers and not by a mapping.
    """

    targets: tuple[Target, ...]
    unmapped: tuple[str, ...]
    keys: tuple[IdentityKey, ...]
    namespace: str
    source: str
    mode: Literal["overwrite", "fill"]
    bad_values: Literal["reject", "blank"]
    day_month: DayMonth | None
    zone: str
    country: str
    guessed: bool = False
    notes: tuple[str, ...] = ()

    def target(self, name: str) -> Target | None:
        """The target of a field, if it is filled."""
        return next((t for t in self.targets if t.field == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many rows were refused for one reason, with an example row."""

    reason: str
    rows: int
    example_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """What came of one file. ``rows`` is always the sum of the four counts behind it."""

    file: str
    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    rejects_file: str | None = None
    reasons: tuple[Reason, ...] = ()
    cleaned: Mapping[str, int] = field(default_factory=dict)
    columns: int = 0
    mapped: Mapping[str, str] = field(default_factory=dict)
    not_mapped: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    commit: int | None = None

    def __post_init__(self) -> None:
        if self.rows != self.new + self.updated + self.unchanged + self.rejected:
            raise AssertionError(f"{self.file}: rows do not add up: {self}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What came of an import of one or more files."""

    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    dry_run: bool
    files: tuple[FileImport, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """Fields of one lead before and after. ``commit`` None: nothing was different."""

    lead_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanResult:
    """What cleaning known leads again came to."""

    rows: int
    changed: int
    cleaned: Mapping[str, int]
    refused: Mapping[str, int]
    dry_run: bool
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePull:
    """What came of one source.

    ``problem`` says why it failed, ``stopped`` which limit ended it; pages before that are kept either way. ``absent``
    are columns of the mapping that no record of some page had.
    """

    source: str
    use: str
    pages: int = 0
    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    commit: int | None = None
    problem: str | None = None
    hint: str | None = None
    code: str | None = None
    stopped: str | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult:
    """What came of a pull from one or more sources."""

    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: int
    failed: int
    dry_run: bool
    sources: tuple[SourcePull, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """One source of the workspace."""

    source: str
    use: str
    pulled: str | None = None
    cursor: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPull:
    """One page of a source that was committed, and what came of it."""

    at: datetime
    rows: int
    new: int
    updated: int
    unchanged: int
    rejected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreferred:
    """A lead whose referrer was not found, and why."""

    lead_id: int
    referrer: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralResult:
    """How many leads were linked with their referrer, ``by`` kind of referrer, and whose referrer is not known."""

    linked: int
    unknown: int
    by: Mapping[str, int]
    missing: tuple[Unreferred, ...]
    dry_run: bool
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource:
    """A source's file that was begun; ``file`` is relative to the workspace."""

    source: str
    use: str
    file: str
    dry_run: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReset:
    """How far a source was pulled before that was forgotten. ``cursor`` None: never; then nothing was done."""

    source: str
    cursor: Mapping[str, Any] | None
    dry_run: bool
    commit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDetail:
    """One source: what its file says, how far it was pulled, and its last pages, the newest first."""

    source: str
    use: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    cursor: Mapping[str, Any] | None = None
    pulls: tuple[PastPull, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck:
    """What a source says about itself."""

    source: str
    use: str
    ok: bool
    facts: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
