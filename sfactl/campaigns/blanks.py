"""Refuse a plan whose messages could not be written for every recipient, naming template, field and lead.

Plain wordings are checked set-based; wordings that branch are rendered once for each case that can differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sfactl.api.errors import DataError
from sfactl.campaigns.candidates import Place, alias, values_of
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.letterhead import SAYS
from sfactl.campaigns.model import Step
from sfactl.campaigns.sandbox import BLANKS
from sfactl.campaigns.templates import CompiledWording, Variable
from sfactl.engine.duck import Query

_NAMED = 5


def check_wording(query: Query, files: CampaignFiles, step: Step, language: str, *, place: Place) -> None:
    """Refuse the plan if this wording misses something for anyone it would be sent to."""
    wording = files.templates[step.template].wordings[language]
    number = sorted(files.templates).index(step.template) + 1
    who = (
        "from plan_rows p join candidates c on c.lead_id = p.lead_id"
        f" where p.action = 'send' and p.step = $step and c.wording_{number} = $language"
    )
    params = {"step": step.name, "language": language}
    fields = [v for v in files.variables if v in wording.used]
    for variable in fields:
        if variable in wording.in_subject:
            broken = f"regexp_matches(cast(c.{alias(variable)} as varchar), '[\\r\\n]')"
            _refuse(query, f"{who} and {broken}", params, wording, f"{'.'.join(variable)} has a line break")
        if variable in wording.required and not wording.branches:
            _refuse(query, f"{who} and {_blank(variable)}", params, wording, f"{'.'.join(variable)} is missing")
    _check_by_rendering(query, files, wording, who, params, place)


def _refuse(query: Query, who: str, params: Mapping[str, Any], wording: CompiledWording, problem: str) -> None:
    found = query.rows(f"select p.lead_id {who} order by p.lead_id limit {_NAMED}", params)
    if found:
        (count,) = query.one(f"select count(*) {who}", params) or (0,)
        raise _unwritable(wording, problem, [r[0] for r in found], count)


def _check_by_rendering(
    query: Query, files: CampaignFiles, wording: CompiledWording, who: str, params: Mapping[str, Any], place: Place
) -> None:
    """Render once for each pattern of blanks and each set of values that may choose a branch: others cannot differ.

    A wording that never branches is rendered once.
    """
    fields = [v for v in files.variables if v in wording.used]
    groups = [_blank(v) for v in fields] + [f"c.{alias(v)}" for v in fields if v in wording.decisive]
    grouped = f"group by {', '.join(groups)} " if wording.branches and groups else ""
    patterns = query.table(
        f"select min(p.lead_id) as lead_id, count(*) as n {who} {grouped}having count(*) > 0 order by 1", params
    )
    query.register("patterns", patterns)
    columns = "".join(f", c.{alias(v)}" for v in fields)
    chosen = query.table(
        f"select p.lead_id, p.n{columns} from patterns p join candidates c on c.lead_id = p.lead_id order by 1"
    )
    workspace = {"name": place.name, "address": place.address}
    for batch in chosen.to_batches(1000):
        for row in batch.to_pylist():
            try:
                wording.render(values_of(row, files, workspace=workspace, message=dict.fromkeys(SAYS, "-")))
            except DataError as err:
                problem = err.message.partition(": ")[2]
                raise _unwritable(wording, problem, [row["lead_id"]], row["n"]) from None


def _unwritable(wording: CompiledWording, problem: str, leads: Sequence[int], count: int) -> DataError:
    named = ", ".join(str(n) for n in leads)
    more = f" and {count - len(leads):,} more" if count > len(leads) else ""
    fallback = 'Give a fallback, for instance {{ lead.first_name | default("there") }}, or leave these leads out.'
    return DataError(
        f"template {wording.template} ({wording.language}): {problem} for lead {named}{more}",
        hint=fallback if problem.endswith("is missing") else "Try it: sfactl template preview NAME --as LEAD",
    )


def _blank(variable: Variable) -> str:
    blanks = " || ".join(f"chr({ord(c)})" for c in BLANKS)
    return f"coalesce(trim(cast(c.{alias(variable)} as varchar), {blanks}), '') = ''"
