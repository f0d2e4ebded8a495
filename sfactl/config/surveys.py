"""What ``surveys/NAME.toml`` may say: what is asked on which scale, of whom and when, and what counts as an answer.

It refuses scales on which the figure of the kind is not defined, and answers that are not on the scale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sfactl.config.objects import read_object
from sfactl.engine.periods import DAY_S, parse_period

FOLDER = "surveys"
Kind = Literal["csat", "nps", "ces"]
"""Satisfaction, willingness to recommend (Net Promoter Score), and effort (Customer Effort Score)."""
Period = Literal["month", "quarter", "half", "year"]
"""The lengths of time between which figures are compared."""

SCALES: Mapping[Kind, tuple[int, tuple[int, ...]]] = {
    "csat": (1, (5, 7, 10)),
    "nps": (0, (10,)),
    "ces": (1, (7, 5)),
}
"""Where the scale of a kind begins, and where it may end; the first is what it is where the file says nothing."""
LONGEST_COMMENT = 4000
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_NUMBER = re.compile(r"([0-9]{1,2})(\.0+)?")
"""Spreadsheets write whole numbers as 4.0, too."""


class BadAnswer(ValueError):
    """An answer that does not fit the question; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text, and the same in other languages (BCP 47)."""

    text: str
    languages: Mapping[str, str] = field(default_factory=dict)

    def said_in(self, tongue: str) -> str:
        """The text in a language; what is written for another region is better than nothing."""
        near = next((t for tag, t in self.languages.items() if tag.partition("-")[0] == tongue.partition("-")[0]), "")
        return self.languages.get(tongue) or near or self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question, answered by a number on the survey's scale."""

    name: str
    text: str
    languages: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"name: {self.name!r} is no name for a question; use a-z, 0-9, - and _")
        if not self.text.strip():
            raise ValueError("text: write what is asked")

    def said_in(self, tongue: str) -> str:
        """The question in a language."""
        return Text(text=self.text, languages=self.languages).said_in(tongue)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Which answers open a case: those of at most ``at_most``, and with ``trend`` a fall between two such periods.

    Answers and falls from before ``within`` are history. ``priority``, ``category`` and ``owner`` are the case's;
    without an owner the lead's rep has it.
    """

    at_most: int | None = None
    trend: Period | None = None
    within: str = "30 days"
    priority: str = ""
    category: str = ""
    owner: str = ""

    def __post_init__(self) -> None:
        if not self.within_s:
            raise ValueError(f"within: {self.within!r} is no time at all")

    @property
    def within_s(self) -> int:
        """The same in seconds."""
        return int(parse_period(self.within).fixed_days * DAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A survey file. The first question is the one that counts; the others may be left open.

    ``campaign`` is what a campaign file says of audience, sender, topic, caps and window; ``when`` makes it time to
    ask. Who has not answered is asked once more after ``remind_after``, with ``reminder`` or the same template. Fewer
    answers than ``minimum`` give no figure. ``alert`` says which answers open a case.
    """

    name: str
    kind: Kind
    summary: str
    questions: tuple[Question, ...]
    template: str
    when: Mapping[str, Any]
    campaign: Mapping[str, Any]
    comment: Text | None = None
    scale: int = 0
    channel: str = ""
    remind_after: str = ""
    reminder: str = ""
    minimum: int = 5
    alert: Alert | None = None

    def __post_init__(self) -> None:
        _, ends = SCALES[self.kind]
        if self.scale and self.scale not in ends:
            known = " or ".join(map(str, ends))
            raise ValueError(f"scale: {self.scale} is not where the scale of {self.kind} ends; that is {known}")
        if not self.questions:
            raise ValueError("questions: ask at least one, as [[questions]] with name and text")
        names = [q.name for q in self.questions]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"questions: {name!r} is there twice")
        if self.minimum < 1:
            raise ValueError(f"minimum: {self.minimum} is less than 1")
        if self.reminder and not self.remind_after:
            raise ValueError("remind_after: say after how long the reminder is sent")
        if self.alert and not self.low <= self.lowest < self.high:
            raise ValueError(f"alert.at_most: {self.lowest} is not on the scale below {self.high}")

    @property
    def low(self) -> int:
        """The lowest number of the scale."""
        return SCALES[self.kind][0]

    @property
    def high(self) -> int:
        """The highest number of the scale."""
        return self.scale or SCALES[self.kind][1][0]

    @property
    def lowest(self) -> int:
        """The highest answer that opens a case: a detractor's, else the second lowest box."""
        if self.alert and self.alert.at_most is not None:
            return self.alert.at_most
        return 6 if self.kind == "nps" else self.low + 1

    def question(self, name: str) -> Question:
        """The question called ``name``; the first where it is empty. Raises `BadAnswer`."""
        found = next((q for q in self.questions if q.name == (name or self.questions[0].name)), None)
        if found is None:
            raise BadAnswer(f"there is no question {name!r}; there are: {', '.join(q.name for q in self.questions)}")
        return found

    def score(self, text: str) -> int:
        """The number that ``text`` is on the scale. Raises `BadAnswer`."""
        found = _NUMBER.fullmatch(text.strip())
        value = int(found[1]) if found else -1
        if not self.low <= value <= self.high:
            raise BadAnswer(f"{text!r} is not a whole number from {self.low} to {self.high}")
        return value

    def answers(self, said: Mapping[str, str]) -> dict[str, int]:
        """The scores by question out of what was filled in. Raises `BadAnswer` where the first has none."""
        found = {q.name: self.score(said[q.name]) for q in self.questions if said.get(q.name, "").strip()}
        if self.questions[0].name not in found:
            raise BadAnswer(f"{self.questions[0].name} is not answered")
        return found


def survey_path(folder: Path, name: str) -> Path:
    """Where the survey ``name`` is written."""
    return folder / FOLDER / f"{name}.toml"


def survey_names(folder: Path) -> list[str]:
    """Names of all surveys, sorted."""
    return sorted(p.stem for p in (folder / FOLDER).glob("*.toml"))


def read_survey(folder: Path, name: str) -> Survey:
    """Read ``surveys/NAME.toml``. Raises `ConfigError`."""
    return read_object(Survey, survey_path(folder, name), inject={"name": name})
