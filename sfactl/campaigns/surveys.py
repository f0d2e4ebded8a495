"""Turn a survey's file into the campaign that asks it, so that gate, caps, consent and ledger are those of campaigns.

It refuses what a survey decides itself, its steps and class, and leaves everything else to the campaign's own rules.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from sfactl.api.errors import ConfigError
from sfactl.campaigns.model import Campaign, Step
from sfactl.campaigns.occasions import Occasion
from sfactl.config.objects import build
from sfactl.config.surveys import Survey, read_survey, survey_names, survey_path
from sfactl.engine.periods import DAY_S, PeriodError, parse_period

ASK, REMIND = "ask", "remind"
ANSWER = "survey_answer"
"""The kind of touchpoint that an answer is."""


def survey_campaign(folder: Path, name: str) -> tuple[Survey, Campaign]:
    """Read ``surveys/NAME.toml`` and the campaign it makes. Raises `ConfigError`."""
    survey, path = read_survey(folder, name), survey_path(folder, name)
    occasion = build(Occasion, survey.when, where=str(path), path="when")
    if occasion.rest and not occasion.beside:  # whom one survey asked, all leave in peace
        occasion = replace(occasion, beside=tuple(n for n in survey_names(folder) if n != name))
    decided: dict[str, Any] = {
        "name": name,
        "summary": survey.summary,
        "occasion": occasion,
        "steps": _steps(survey, occasion, str(path)),
        # A survey is in the asker's interest: whoever is asked must be free to leave it.
        "message_class": "marketing",
        "confirm": False,
        "rotation": 1,
    }
    return survey, build(Campaign, survey.campaign, where=str(path), path="campaign", inject=decided)


def _steps(survey: Survey, occasion: Occasion, where: str) -> tuple[Step, ...]:
    ask: dict[str, Any] = {"name": ASK, "template": survey.template, "channel": survey.channel}
    first = build(Step, ask, where=where, path="template")
    if not survey.remind_after:
        return (first,)
    try:
        wait_s = parse_period(survey.remind_after).fixed_days * DAY_S
    except PeriodError as err:
        raise ConfigError(f"{where}: remind_after: {err.message}") from None
    days = math.ceil((wait_s + occasion.within_s) / DAY_S)
    remind = {
        "name": REMIND,
        "template": survey.reminder or survey.template,
        "channel": survey.channel,
        "after": {"step": ASK, "wait": survey.remind_after},
        "where": f"not has(touchpoints) filter (where kind = '{ANSWER}' and campaign = '{survey.name}'"
        f" and within('{days} days'))",
    }
    return first, build(Step, remind, where=where, path="remind_after")
