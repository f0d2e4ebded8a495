"""Which reps may take a lead, by which rule, and why not the others. Pure: it looks at cases, not at single leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sfactl.reps.model import Case, Standing
from sfactl.reps.rules import Method, Rule, Rules, Target

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ranks = npt.NDArray[np.int16]
    Places = npt.NDArray[np.int64]

NOBODY = 32_000
"""The rank of a rep who may not take a lead at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way in which a lead may find an owner: a rule with its own reps, or with those of its fallback."""

    rule: Rule
    to: Target
    second: bool = False

    @property
    def method(self) -> Method:
        """How the reps take turns."""
        return self.rule.method


def options_of(rules: Rules) -> tuple[Option, ...]:
    """All ways in the order in which they are tried."""
    found: list[Option] = []
    for rule in rules.rules:
        found.append(Option(rule=rule, to=rule.to))
        if isinstance(rule.fallback, Target):
            found.append(Option(rule=rule, to=rule.fallback, second=True))
    return tuple(found)


def matches(rule: Rule, case: Case) -> bool:
    """Whether the rule is about leads of this case."""
    return not rule.where.strip() or f"rule {rule.name}" in case.held


def ranks(cases: Sequence[Case], rules: Rules, standings: Sequence[Standing]) -> Ranks:
    """For each case and rep the place of the first option by which the rep may take such a lead, or `NOBODY`."""
    import numpy as np

    options = options_of(rules)
    found = np.full((len(cases), len(standings)), NOBODY, dtype=np.int16)
    places = {s.rep.rep_id: i for i, s in enumerate(standings)}
    able: dict[tuple[int, str | None, frozenset[str]], Places] = {}
    for row, case in enumerate(cases):
        barred = [places[rep_id] for rep_id in case.barred if rep_id in places]
        for number, option in enumerate(options):
            if not matches(option.rule, case):
                continue
            key = number, case.country, case.held
            if key not in able:
                fit = [i for i, s in enumerate(standings) if not why_not(s, case, option, rules, alone=True)]
                able[key] = np.array(fit, dtype=np.int64)
            chosen = able[key]
            if option.method == "sticky":
                chosen = chosen[chosen == places.get(case.bound or "", -1)]
            found[row, chosen] = np.minimum(found[row, chosen], number)
            if option.rule.fallback == "queue":
                break
        found[row, barred] = NOBODY
    return found


def why_not(standing: Standing, case: Case, option: Option, rules: Rules, *, alone: bool = False) -> str:
    """Why the rep may not take a lead of this case by this option, room aside; empty where nothing is against it.

    With ``alone`` what depends on the single lead (its ties, and who had it before) is left out.
    """
    rep, rule = standing.rep, option.rule
    if not rep.active:
        return "not active"
    if rep.weight <= 0 and rule.method != "sticky":
        return "weight 0"
    if said := option.to.why_not(rep):
        return said
    if "countries" not in rule.regardless and not rep.serves(case.country):
        return f"does not serve {case.country}"
    if "territories" not in rule.regardless and rep.territories and not _inside(rep.territories, case):
        return f"outside of {', '.join(rep.territories)}"
    if "skills" not in rule.regardless:
        lacking = [s for s in rules.skills if f"skill {s}" in case.held and s not in rep.skills]
        if lacking:
            return f"lacks skill {', '.join(lacking)}"
    if standing.away_until is not None:
        return f"away until {standing.away_until:%Y-%m-%d %H:%M}"
    if rule.at_work and standing.at_work_from is not None:
        return f"not at work before {standing.at_work_from:%Y-%m-%d %H:%M}"
    return "" if alone else _why_not_this_lead(rep.rep_id, case, option)


def _why_not_this_lead(rep_id: str, case: Case, option: Option) -> str:
    if rep_id in case.barred:
        return "had it before"
    if option.method == "sticky" and case.bound != rep_id:
        return f"{case.bound} is tied to it" if case.bound else "nobody is tied to it"
    return ""


def _inside(territories: Sequence[str], case: Case) -> bool:
    return any(f"territory {t}" in case.held for t in territories)


def why_waiting(case: Case, rules: Rules, standings: Sequence[Standing], able: Sequence[int]) -> str:
    """The reason for which a lead of this case stays in the queue, when the reps ``able`` might take it."""
    if able:
        limits = {standings[i].tightest for i in able}
        said = limits.pop() if len(limits) == 1 else "at a limit"
        one = "its only active rep is" if len(able) == 1 else f"all {len(able)} active reps who may serve it are"
        return f"{one} {said}"
    asked = [o for o in options_of(rules) if matches(o.rule, case) and o.method != "sticky"]
    if not asked:
        return "no rule is about it"
    if not any(s.rep.active and s.rep.weight > 0 for s in standings):
        return f"no active rep serves {case.country}" if standings and case.country else "no active rep"
    why = Counter(why_not(s, case, asked[0], rules).partition(" until ")[0] for s in standings if s.rep.active)
    if case.country and all(w.startswith(("does not serve", "weight")) for w in why):
        return f"no active rep serves {case.country}"
    counted = " · ".join(f"{n} {w}" for w, n in sorted(why.items(), key=lambda w: (-w[1], w[0])))
    return f"nobody can take it: {counted}"
