"""How each rule and each rep stands towards one lead: what `assign explain` shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sfactl.reps.eligibility import Option, matches, options_of, why_not
from sfactl.reps.model import Case, Chance, RuleAsked, Standing
from sfactl.reps.rules import Rules


def asked(case: Case, rules: Rules, standings: Sequence[Standing]) -> tuple[RuleAsked, ...]:
    """Every rule in order: whether it is about a lead of this case, who could take it, and who has room."""
    found = []
    for option in options_of(rules):
        holds = matches(option.rule, case)
        able = [s for s in standings if holds and not why_not(s, case, option, rules)]
        found.append(
            RuleAsked(
                rule=_name(option),
                holds=holds,
                able=len(able),
                with_room=sum(s.free is None or s.free > 0 for s in able),
            )
        )
    return tuple(found)


def chances(case: Case, rules: Rules, standings: Sequence[Standing], by_rule: str | None = None) -> tuple[Chance, ...]:
    """How each rep stands towards a lead of this case; the next one to get it comes first.

    Who cannot get it is told the reason by ``by_rule``, the rule that decided, else by the first that is about it.
    """
    options = _open_options(case, rules)
    told_by = next((o for o in options if o.rule.name == by_rule), None)
    told_by = told_by or next((o for o in options if o.method != "sticky"), None) or next(iter(options), None)
    answers = []
    for standing in standings:
        place, option = next(
            ((i, o) for i, o in enumerate(options) if not why_not(standing, case, o, rules)), (len(options), None)
        )
        if option is not None:
            said = standing.why_full
        else:
            said = why_not(standing, case, told_by, rules) if told_by else "no rule is about it"
        answers.append((place, _chance(standing, option, said)))
    ranked = sorted(answers, key=lambda a: (a[1].priority is None, a[0], a[1].priority or 0.0, a[1].rep_id))
    return tuple(chance for _, chance in ranked)


def _open_options(case: Case, rules: Rules) -> list[Option]:
    """The options that are asked for a lead of this case; behind a rule that lets leads wait comes none."""
    found: list[Option] = []
    for option in options_of(rules):
        if matches(option.rule, case):
            found.append(option)
            if option.rule.fallback == "queue":
                break
    return found


def _chance(standing: Standing, option: Option | None, why: str) -> Chance:
    balanced = option is not None and option.method == "balanced"
    weight = 1 if option is not None and option.method == "round-robin" else max(standing.rep.weight, 1)
    had = standing.open if balanced else standing.turns
    return Chance(
        rep_id=standing.rep.rep_id,
        open=standing.open,
        capacity=standing.rep.capacity,
        turns=standing.turns,
        weight=standing.rep.weight,
        priority=None if why else (2 * had + 1) / weight,
        rule=_name(option) if option is not None else "",
        why_not=why,
    )


def _name(option: Option) -> str:
    return f"{option.rule.name} (fallback)" if option.second else option.rule.name
