"""The built-in strategy as an offer like any plugin's: the rules of one score file as a single scoring statement."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sfactl.api.context import PluginContext
from sfactl.api.records import SqlScore
from sfactl.config.layers import load_settings
from sfactl.engine.conditions.compile import settings_of
from sfactl.engine.conditions.plan import Plan
from sfactl.schemas import Schemas
from sfactl.scoring.files import FOLDER, read_score
from sfactl.scoring.model import Rule, Score
from sfactl.scoring.reasons import reasons_statement
from sfactl.scoring.rules import totals_statement

CAPS = "caps and bounds"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesSettings:
    """Which score file's rules are meant: ``score`` is its name."""

    score: str


class RulesStrategy:
    """Rules with decay, caps, limits and groups."""

    def __init__(self, settings: RulesSettings, context: PluginContext) -> None:
        """Read the score file; nothing is compiled before `statement`."""
        self._score = read_score(context.workspace / FOLDER / f"{settings.score}.toml")
        found = load_settings(context.workspace, env=None, environ=os.environ)
        schemas = Schemas(found.fields, zone=found.workspace.time_zone)
        self._plan = Plan(settings_of("leads", schemas, context.now()))

    def statement(self) -> SqlScore:
        """One row for each reason, and one for what caps and bounds changed, so that they add up to the score."""
        return rules_statement(self._plan, self._score)


def rules_statement(plan: Plan, score: Score) -> SqlScore:
    """All reasons of all leads under the rules of ``score``, with the columns that `SqlScore` asks for."""
    entries = reasons_statement(plan, score, one=False)
    totals = totals_statement(plan, [score])
    names = " ".join(f"when {number} then {_text(rule)}" for number, rule in enumerate(score.rules))
    unit = f"{score.unit}.0"
    sql = f"""with entries as ({entries}), totals as ({totals}), given as (
  select lead_id, sum(units) as units from entries group by lead_id
)
select lead_id, case rule_no {names} end as rule, units / {unit} as points, detail, "at" from entries where units <> 0
union all
select t.lead_id, '{CAPS}', (t._u0 - coalesce(g.units, 0)) / {unit}, cast(null as varchar), cast(null as timestamp)
from totals as t left join given as g on g.lead_id = t.lead_id
where t._u0 <> coalesce(g.units, 0)"""
    return SqlScore(sql=sql, params=dict(plan.params))


def _text(rule: Rule) -> str:
    return "'" + rule.name.replace("'", "''") + "'"
