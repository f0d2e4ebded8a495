"""Who was won and who was lost, and when, as SQL: by the deal a lead became, by conditions, or by a field."""

from __future__ import annotations

from collections.abc import Mapping

from sfactl.api.errors import ConfigError
from sfactl.engine.conditions.compile import check
from sfactl.engine.conditions.plan import Plan, quote
from sfactl.engine.conditions.source import Source, nearest
from sfactl.engine.duck import statement
from sfactl.scoring.model import Outcome, Score


def outcomes_sql(plan: Plan, score: Score) -> str:
    """A SELECT of (lead_id, won, at) for the leads whose outcome is known. Raises `ConfigError`, `ConditionError`."""
    outcome, types = score.outcome, plan.settings.entity.columns
    place = f"scores/{score.name}.toml: outcome"
    if outcome.won is None and outcome.field is None:
        won, lost = "null", "null"
    elif outcome.field is not None:
        won, lost = _field(outcome.field, types, f"{place}.field")
    else:
        won = check(plan, Source(text=outcome.won or "", where=f"{place}.won"))
        lost = (
            check(plan, Source(text=outcome.lost, where=f"{place}.lost"))
            if outcome.lost
            else f"(not coalesce({won}, false))"
        )
    said = plan.statement([[f"{won} as _won", f"{lost} as _lost", f"{_at(outcome, types, place)} as _at"]])
    by_deal = outcome.won is None and outcome.field is None
    return statement("scoring", "outcomes").format(said=said, by_deal="true" if by_deal else "false")


def _field(name: str, types: Mapping[str, str], place: str) -> tuple[str, str]:
    _known(name, types, place)
    kind = types[name]
    column = f"e.{quote(name)}"
    if kind == "boolean":
        return column, f"(not {column})"
    if kind in ("bigint", "integer", "double") or kind.startswith("decimal"):
        return f"({column} = 1)", f"({column} = 0)"
    raise ConfigError(
        f"{place}: {name} is {kind}, and an outcome is yes/no, or 1 and 0",
        hint=f"Write won = \"{name} = '…'\" and lost = \"{name} = '…'\" instead.",
    )


def _at(outcome: Outcome, types: Mapping[str, str], place: str) -> str:
    if outcome.at is None:
        return "cast(null as timestamp)"
    _known(outcome.at, types, f"{place}.at")
    if types[outcome.at] not in ("date", "timestamp"):
        raise ConfigError(f"{place}.at: {outcome.at} is neither a date nor a time")
    return f"cast(e.{quote(outcome.at)} as timestamp)"


def _known(name: str, types: Mapping[str, str], place: str) -> None:
    if name not in types:
        raise ConfigError(f'{place}: a lead has no field "{name}".{nearest(name, types)}')
