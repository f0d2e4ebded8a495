"""What ``assignment.toml`` may say: rules in order, territories, skills, and the promise of a first response.

Pure: it decides what is a valid file and which conditions it asks about a lead. Who fits is decided in `eligibility`.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from sfactl.api.errors import ConfigError
from sfactl.config.objects import read_object
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.reps.model import Rep

FILE = "assignment.toml"
OPEN = ("new", "mql", "sql")
"""Stages of a lead that still has an owner to find or to change."""

Method = Literal["round-robin", "weighted", "balanced", "sticky"]
Bond = Literal["account", "person", "company", "referrer"]
Limit = Literal["countries", "territories", "skills"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Reps by team, territory, skill or name. What is not named does not limit; all that is named must hold."""

    teams: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    reps: tuple[str, ...] = ()

    def why_not(self, rep: Rep) -> str:
        """Why ``rep`` is not meant; empty where it is."""
        if self.reps and rep.rep_id not in self.reps:
            return "not named by the rule"
        if self.teams and rep.team not in self.teams:
            return f"not in team {' or '.join(self.teams)}"
        if self.territories and not set(self.territories) & set(rep.territories):
            return f"not in territory {' or '.join(self.territories)}"
        if self.skills and not set(self.skills) <= set(rep.skills):
            return f"lacks skill {', '.join(s for s in self.skills if s not in rep.skills)}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    ``where`` is a condition over leads (empty: all). ``fallback`` says what happens where nobody of ``to`` has room:
    the next rule is asked, the lead stays in the queue, or other reps are tried first. ``at_work`` leaves out who is
    outside working hours now. ``regardless`` names limits of reps and needs of leads that the rule ignores.
    """

    name: str
    where: str = ""
    to: Target = field(default_factory=Target)
    method: Method = "weighted"
    fallback: Literal["next", "queue"] | Target = "next"
    at_work: bool = False
    regardless: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name: a rule needs a name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """A part of the market: what is named must all hold. ``employees`` is least and most, both included."""

    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    postal_codes: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    employees: tuple[int, ...] = ()
    where: str = ""

    def __post_init__(self) -> None:
        if self.employees and (len(self.employees) != 2 or not 0 <= self.employees[0] <= self.employees[1]):
            raise ValueError(f"employees: {list(self.employees)} is not least and most, for instance [50, 500]")
        if not self.condition():
            raise ValueError("says nothing: name countries, regions, postal_codes, industries, employees or where")

    def condition(self) -> str:
        """The territory in the language of conditions."""
        terms = [f"({self.where.strip()})"] if self.where.strip() else []
        for column, values in (("country", self.countries), ("region", self.regions), ("industry", self.industries)):
            if values:
                terms.append(f"{column} in ({', '.join(map(_quoted, values))})")
        if self.postal_codes:
            starts = " or ".join(f"starts_with(postal_code, {_quoted(code)})" for code in self.postal_codes)
            terms.append(f"({starts})")
        if self.employees:
            terms.append(f"employees between {self.employees[0]} and {self.employees[1]}")
        return " and ".join(terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """The promise of a first response: within so much working time of the assignment.

    ``calendar`` holds for reps without one of their own; empty is round the clock. ``kinds`` are the touchpoints that
    count (empty: any that a person sends out). With ``reassign`` off a breach is listed and never acted upon.
    """

    first_response: str
    calendar: str = ""
    kinds: tuple[str, ...] = ()
    reassign: bool = True

    def __post_init__(self) -> None:
        if self.length <= timedelta():
            raise ValueError(f"first_response: {self.first_response!r} is no time at all")

    @property
    def length(self) -> timedelta:
        """The working time allowed. Raises `PeriodError` for months, whose length varies."""
        try:
            period = parse_period(self.first_response)
        except PeriodError as err:
            raise ValueError(f"first_response: {err.message}") from None
        if period.months:
            raise ValueError(f"first_response: {self.first_response!r} has no fixed length; write hours or days")
        return timedelta(seconds=period.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """``assignment.toml``.

    ``skills`` maps a skill to the condition under which a lead needs it. ``bonds`` are the ties that sticky rules look
    for, the strongest first.
    """

    rules: tuple[Rule, ...]
    stages: tuple[str, ...] = ("sql",)
    calendar: str = ""
    territories: Mapping[str, Territory] = field(default_factory=dict)
    skills: Mapping[str, str] = field(default_factory=dict)
    bonds: tuple[Bond, ...] = ("account", "person", "company", "referrer")
    sla: Sla | None = None

    def __post_init__(self) -> None:
        names = [r.name for r in self.rules]
        if twice := [n for n in names if names.count(n) > 1]:
            raise ValueError(f"rules: {twice[0]!r} is there twice")
        if wrong := [s for s in self.stages if s not in OPEN]:
            raise ValueError(f"stages: {wrong[0]!r} is not one of {', '.join(OPEN)}")
        if not self.rules:
            raise ValueError("rules: there is none; without the file every rep takes part in turns")

    def rule(self, name: str | None) -> Rule | None:
        """The rule called ``name``."""
        return next((r for r in self.rules if r.name == name), None)

    def conditions(self) -> Iterator[tuple[str, str, str]]:
        """Everything the file asks about a lead: a name, the condition, and the key it stands at."""
        for rule in self.rules:
            if rule.where.strip():
                yield f"rule {rule.name}", rule.where, f"rules.{rule.name}.where"
        for name, territory in self.territories.items():
            yield f"territory {name}", territory.condition(), f"territories.{name}"
        for name, where in self.skills.items():
            yield f"skill {name}", where, f"skills.{name}"


STANDARD = Rules(rules=(Rule(name="everyone"),))
"""Without a file: one queue for all, in turns by weight."""


def read_rules(workspace: Path) -> Rules | None:
    """The rules of a workspace; None where it has no file. Raises `ConfigError` naming file and key."""
    path = workspace / FILE
    return read_object(Rules, path) if path.exists() else None


def with_method(rules: Rules, method: Method) -> Rules:
    """The same rules with another way to take turns; sticky rules stay."""
    changed = tuple(r if r.method == "sticky" else replace(r, method=method) for r in rules.rules)
    return replace(rules, rules=changed)


def name_problems(rules: Rules, reps: Collection[Rep], calendars: Collection[str]) -> Iterator[ConfigError]:
    """Names in the file, or in the reps, that nothing has."""
    teams = {r.team for r in reps if r.team}
    known_skills = {s for r in reps for s in r.skills} | set(rules.skills)
    known = {
        "teams": teams,
        "territories": set(rules.territories),
        "skills": known_skills,
        "reps": {r.rep_id for r in reps},
    }
    what = {"teams": "team", "territories": "territory", "skills": "skill", "reps": "rep"}
    for rule in rules.rules:
        targets = [("to", rule.to)] + ([("fallback", rule.fallback)] if isinstance(rule.fallback, Target) else [])
        for key, target in targets:
            for part, names in known.items():
                # An empty roster is not a misspelt rule: then nobody can take a lead, and every lead says so.
                if part == "territories" or reps:
                    yield from _unknown(getattr(target, part), names, f"rules.{rule.name}.{key}.{part}", what[part])
    for name, key in ((rules.calendar, "calendar"), (rules.sla.calendar if rules.sla else "", "sla.calendar")):
        yield from _unknown([name] if name else [], calendars, key, "calendar")
    for rep in reps:
        where = f"rep {rep.rep_id}"
        yield from _unknown(rep.territories, set(rules.territories), "territories", "territory", where=where)
        yield from _unknown([rep.calendar] if rep.calendar else [], calendars, "calendar", "calendar", where=where)


def _unknown(
    names: Collection[str], known: Collection[str], key: str, what: str, *, where: str = FILE
) -> Iterator[ConfigError]:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(known)) or 'none'}"
            yield ConfigError(f"{where}: {key}: there is no {what} {name!r}. {hint}")


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
