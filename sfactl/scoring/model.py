"""Scores as files: rules, caps, decay and grades. Each class checks its own keys; together they are the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sfactl.engine.periods import parse_period

RULES = "rules"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """How points fade with the age of the event: halved every ``half_life``, or down to nothing over ``linear``."""

    half_life: str | None = None
    linear: str | None = None

    def __post_init__(self) -> None:
        """Exactly one way, of a fixed length."""
        if (self.half_life is None) == (self.linear is None):
            raise ValueError("write either half_life or linear")
        if self.days <= 0:
            raise ValueError("the time of a decay must be longer than nothing")

    @property
    def days(self) -> float:
        """The half-life, or the time until nothing is left, in days."""
        return parse_period(self.half_life or self.linear or "").fixed_days

    @property
    def phrase(self) -> str:
        """The decay in words."""
        return f"halved every {self.half_life}" if self.half_life else f"fading over {self.linear}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason for points.

    With ``on`` (a relation, such as touchpoints) every row of it that meets ``where`` gives ``points``; without, the
    lead gets them once if it meets ``where``. ``cap`` bounds what the rule gives in all. ``limit`` says which rows
    count: ``"first"`` the earliest only, ``"daily"`` the first of each day (UTC), a number the latest so many.
    """

    name: str
    points: Decimal
    where: str = ""
    on: str | None = None
    summary: str = ""
    decay: Decay | None = None
    cap: Decimal | None = None
    limit: Literal["first", "daily"] | int | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.points == 0:
            raise ValueError(f"rule {self.name!r}: points must not be 0")
        if self.on is None and not self.where.strip():
            raise ValueError(f"rule {self.name!r}: where is missing")
        if self.on is None and (self.decay or self.cap is not None or self.limit is not None):
            raise ValueError(f'rule {self.name!r}: decay, cap and limit go with on = "…"')
        if self.cap is not None and self.cap <= 0:
            raise ValueError(f"rule {self.name!r}: cap must be greater than 0; it bounds minus points too")
        if isinstance(self.limit, int) and self.limit < 1:
            raise ValueError(f"rule {self.name!r}: limit must be 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that share a bound: together they give at most ``cap``, and take at most as much."""

    cap: Decimal

    def __post_init__(self) -> None:
        """A cap bounds something."""
        if self.cap <= 0:
            raise ValueError("cap must be greater than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The ``grade`` of all scores of ``at_least`` so many points, down from the next better grade."""

    at_least: Decimal
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a score learns to foretell.

    ``won`` and ``lost`` are conditions about leads (only ``won``: all others are lost), or ``field`` names a yes/no
    field. Without any of them a lead is won or lost with the opportunity it was converted to, and lost when it was
    disqualified. ``at`` names the field that has the time of the outcome; without, it is the deal's close or the lead's
    last move. ``before`` is how long before the outcome a lead is looked at (``"7 days"``).
    """

    won: str | None = None
    lost: str | None = None
    field: str | None = None
    at: str | None = None
    before: str | None = None

    def __post_init__(self) -> None:
        """One way to say it."""
        if self.field is not None and (self.won or self.lost):
            raise ValueError("write either field, or won and lost")
        if self.lost is not None and self.won is None:
            raise ValueError("lost goes with won")
        if self.before is not None and parse_period(self.before).fixed_days < 0:
            raise ValueError("before must not be below 0")

    @property
    def lead_days(self) -> float:
        """How many days before the outcome a lead is looked at."""
        return parse_period(self.before).fixed_days if self.before else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A file ``scores/NAME.toml``.

    Every amount is rounded to ``decimals`` before anything is added, so that the reasons add up to the score exactly.
    ``floor`` and ``ceiling`` bound the total. ``strategy`` is ``rules`` or the name of a plugin's, with ``settings``.

    ``outcome`` says what a good score foretells: what is learned, and what a backtest measures against. A strategy that
    learns takes further keys: ``features`` are the fields to learn from
    (default: all that are usable, custom fields too) and ``measures`` further ones as expressions. A field in
    ``known_after_outcome`` is never used, one in ``allow`` is used although the guard against leaks suspects it. With
    fewer than ``min_samples`` outcomes, ``min_won`` of them won and as many lost, nothing is learned and the rule score
    ``fallback`` stands in.
    """

    name: str
    summary: str = ""
    strategy: str = RULES
    settings: Mapping[str, Any] = field(default_factory=dict)
    decimals: int = 2
    floor: Decimal | None = None
    ceiling: Decimal | None = None
    rules: tuple[Rule, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    grades: tuple[Grade, ...] = ()
    outcome: Outcome = field(default_factory=Outcome)
    features: tuple[str, ...] = ()
    measures: Mapping[str, str] = field(default_factory=dict)
    known_after_outcome: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    min_samples: int = 200
    min_won: int = 20
    fallback: str | None = None

    def __post_init__(self) -> None:
        """Check what the parts must agree on."""
        if not 0 <= self.decimals <= 4:
            raise ValueError("decimals must be 0 to 4")
        if self.strategy == RULES and (not self.rules or self.settings):
            raise ValueError("the strategy 'rules' needs [[rules]], and no settings")
        if self.strategy != RULES and (self.rules or self.groups):
            raise ValueError(f"[[rules]] and [groups] go with the strategy 'rules', not with {self.strategy!r}")
        if self.floor is not None and self.ceiling is not None and self.floor > self.ceiling:
            raise ValueError("floor is above ceiling")
        self._check_rules()
        self._check_learning()
        self._check_amounts()
        for what, values in (
            ("grade", [g.grade for g in self.grades]),
            ("at_least", [g.at_least for g in self.grades]),
        ):
            if len(set(values)) != len(values):
                raise ValueError(f"grades: two have the same {what}")

    @property
    def unit(self) -> int:
        """How many of the smallest amounts make one point."""
        return int(10**self.decimals)

    @property
    def learns(self) -> bool:
        """Whether the file says anything about learning."""
        return any((self.features, self.measures, self.known_after_outcome, self.allow, self.fallback))

    def _check_learning(self) -> None:
        if self.strategy == RULES and self.learns:
            raise ValueError(
                "features, measures, known_after_outcome, allow and fallback go with a strategy that learns"
            )
        if self.min_samples < 2 or self.min_won < 1:
            raise ValueError("min_samples must be 2 or more, min_won 1 or more")
        if both := sorted(set(self.allow) & set(self.known_after_outcome)):
            raise ValueError(f"{both[0]!r} is both in allow and in known_after_outcome")
        if both := sorted(set(self.features) & set(self.measures)):
            raise ValueError(f"{both[0]!r} is both in features and in measures")
        if self.fallback == self.name:
            raise ValueError("a score cannot be its own fallback")

    def _check_rules(self) -> None:
        names = [rule.name for rule in self.rules]
        for rule in self.rules:
            if names.count(rule.name) > 1:
                raise ValueError(f"two rules have the name {rule.name!r}")
            if rule.group is not None and rule.group not in self.groups:
                raise ValueError(f"rule {rule.name!r}: there is no [groups.{rule.group}]")
        for group in self.groups:
            if all(rule.group != group for rule in self.rules):
                raise ValueError(f"groups.{group}: no rule is in this group")

    def _check_amounts(self) -> None:
        amounts = [(f"rule {rule.name!r}: points", rule.points) for rule in self.rules]
        amounts += [(f"rule {rule.name!r}: cap", rule.cap) for rule in self.rules if rule.cap is not None]
        amounts += [(f"groups.{name}: cap", group.cap) for name, group in self.groups.items()]
        amounts += [
            (key, value) for key, value in (("floor", self.floor), ("ceiling", self.ceiling)) if value is not None
        ]
        for what, amount in amounts:
            if amount * self.unit % 1 != 0 or abs(amount) > 1_000_000:
                raise ValueError(f"{what}: {amount} must have at most {self.decimals} decimals and 1,000,000 points")
