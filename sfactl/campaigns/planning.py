"""Work out a plan: who gets which step now, who waits, who is left out and why. Decides nothing about sending.

The same files and data give the same plan on any machine; its id is a hash over both, and holds no time, run or
commit number.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sfactl.campaigns.blanks import check_wording
from sfactl.campaigns.candidates import Place, load_candidates
from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.model import CHANNELS, Campaign, Count
from sfactl.campaigns.pressure import Rules, ends_at
from sfactl.consent.gate import listen, load_words
from sfactl.consent.model import House
from sfactl.engine.duck import Query
from sfactl.engine.periods import parse_period

if TYPE_CHECKING:
    import pyarrow as pa

STEP_FIELDS = (
    "step",
    "step_no",
    "action",
    "channel",
    "address",
    "after_step",
    "wait_s",
    "owner",
    "input_no",
)
EFFECT_FIELDS = ("message_key", "campaign", "step", "lead_id", "recipient", "state", "at", "channel")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that was worked out. ``items`` has the columns of `plan_items` without plan id and time."""

    plan_id: str
    at: datetime
    seq: int
    items: pa.Table
    counts: tuple[Count, ...]

    def total(self, action: str) -> int:
        """Number of items with this action."""
        return sum(c.items for c in self.counts if c.action == action)


def key_prefix(campaign: Campaign, tenant: str) -> str:
    """What stands before ``step.lead.rotation`` in a message key."""
    return f"{tenant[:12]}.{campaign.name}."


def draft(query: Query, files: CampaignFiles, place: Place, *, at: datetime, effects: pa.Table) -> Draft:
    """Work out the plan for ``at``. The query must have the tables audience, wanted and blacklist.

    Raises `DataError` where a message could not be written for a recipient.
    """
    import pyarrow as pa

    load_candidates(query, files, place)
    load_refusals(query, files.campaign, place.house)
    judge(query, files, place, at=at, effects=effects)
    for step in files.campaign.steps:
        if step.template:
            for language in files.templates[step.template].wordings:
                check_wording(query, files, step, language, place=place)
    table = query.table(query.statement("campaigns", "planned"))
    counted = query.rows(
        "select action, step, coalesce(reason, ''), count(*), min(due_at), min(step_no) from plan_rows"
        " group by action, step, reason order by 6, 1, 4 desc, 3"
    )
    counts = tuple(Count(action=a, step=s, reason=r, items=n, next_at=due) for a, s, r, n, due, _ in counted)
    digest = hashlib.sha256(f"{files.campaign.name}\n{content_version(files, place)}\n".encode())
    for chunk in table.column("row_hash").cast(pa.string()).chunks:
        digest.update("".join(chunk.to_pylist()).encode())
    # A plan's items say their rotation only where the campaign does not.
    own = [] if files.campaign.in_rounds else ["rotation"]
    items = table.drop_columns(["row_hash", "step_no", *own])
    return Draft(plan_id=digest.hexdigest(), at=at, seq=query.seq, items=items, counts=counts)


def content_version(files: CampaignFiles, place: Place) -> str:
    """A hash of all that its messages say whoever gets them: the files, and what of the workspace they carry."""
    used = {variable for template in files.templates.values() for variable in template.used}
    carried = {f: getattr(place, f) for f in ("name", "address") if ("workspace", f) in used}
    if files.campaign.marketing or files.campaign.track or any(owner == "message" for owner, _ in used):
        carried["collector"] = place.collector.rstrip("/") if files.templates else ""
    carried["feedback_id"] = place.feedback_id if files.templates else ""
    said = {name: text for name, text in carried.items() if text}
    if not said:
        return files.version
    return hashlib.sha256(json.dumps([files.version, sorted(said.items())]).encode()).hexdigest()


AUDIENCE = "select l.email, l.phone from leads l join audience a on a.lead_id = l.lead_id"
"""Those whom a plan or a chunk of one looks at."""


def load_refusals(
    query: Query, campaign: Campaign, house: House, *, consents: str = "touchpoints", people: str = AUDIENCE
) -> None:
    """Make the tables of whom the campaign may not write to: spoken, refused_address, exited.

    ``consents`` is where people's own words are read from (`sfactl.consent.gate.listen`), ``people`` a SELECT of the
    e-mail and phone of all who may be judged. Raises `ConfigError` for a topic that is not there.
    """
    terms = house.terms(campaign.topic, where=f"campaign {campaign.name}")
    listen(query, consents)
    load_words(query, campaign.name, terms, people=people)
    if not campaign.endings:  # a walk of a strategy lets people leave itself
        query.run("create or replace temp table exited (lead_id bigint, rotation bigint, ending varchar)")
        return
    query.register("endings", _names_table("kind", campaign.endings))
    query.run(
        f"create or replace temp table exited as {query.statement('campaigns', 'exited')}", {"campaign": campaign.name}
    )


def judge(
    query: Query, files: CampaignFiles, place: Place, *, at: datetime, effects: pa.Table, by_step: bool = False
) -> None:
    """Make the table plan_rows: the one gate through which every recipient of every step goes.

    It judges the rows of ``wanted`` (lead_id, step, rotation, is_out) among candidates; the tables of `load_refusals`
    and blacklist must be there. ``effects`` is what the ledger holds (`effects_table`). ``by_step`` judges each step
    as if it were alone: what is sent at one counts for no cap at another yet.
    """
    campaign = files.campaign
    load_effects(query, effects)
    query.register("campaign_steps", _steps_table(files))
    zones = [str(r[0]) for r in query.rows("select distinct zone from candidates order by 1")]
    rules = Rules(campaign=campaign, touch=place.house.touch, time_zone=place.time_zone)
    query.register("openings", rules.openings_table(zones, at))
    query.register("caps", rules.caps_table(zones, at))
    query.register("transactional", _names_table("campaign", place.transactional))
    params = {
        "at": at,
        "campaign": campaign.name,
        "marketing": campaign.marketing,
        "needs_consent": campaign.marketing and place.house.terms(campaign.topic, where=campaign.name).needs_consent,
        "confirm": campaign.confirm,
        "cap_since": rules.counted_since(zones, at),
        "ends_at": ends_at(campaign, place.time_zone),
        "key_prefix": key_prefix(campaign, place.tenant),
        "apart": bool(files.about),
        "by_step": by_step,
    }
    # Most of what is joined is empty or small, which the engine takes for large.
    with query.in_written_order():
        query.run(f"create or replace temp table plan_rows as {query.statement('campaigns', 'plan')}", params)


def load_effects(query: Query, effects: pa.Table) -> None:
    """Make the table effects of what the ledger holds (`effects_table`)."""
    query.register("claimed", effects)
    if effects.num_rows:
        # The ledger keeps the number that a message was claimed with; since then the person may be known by another.
        query.run(f"create or replace temp table effects as {query.statement('campaigns', 'effects')}")
    else:
        query.run("create or replace temp table effects as select * from claimed")


def effects_table(rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Ledger rows as the table that `judge` reads; the order of values is `EFFECT_FIELDS`."""
    return _filled_effects(rows) if rows else _no_effects()


@cache
def _no_effects() -> pa.Table:
    return _filled_effects(())


def _filled_effects(rows: Sequence[Sequence[Any]]) -> pa.Table:
    import pyarrow as pa

    types = [
        pa.string(),
        pa.string(),
        pa.string(),
        pa.int64(),
        pa.string(),
        pa.string(),
        pa.timestamp("us"),
        pa.string(),
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(types)
    return pa.table({n: pa.array(c, t) for n, c, t in zip(EFFECT_FIELDS, columns, types, strict=True)})


def _steps_table(files: CampaignFiles) -> pa.Table:
    import pyarrow as pa

    templates = sorted(files.templates)
    rows = []
    for number, step in enumerate(files.campaign.steps, 1):
        channel = step.channel or ("email" if step.action == "send" else None)
        rows.append(
            {
                "step": step.name,
                "step_no": number,
                "action": step.action,
                "channel": channel,
                "address": CHANNELS.get(channel, "any") if channel else None,
                "after_step": step.after.step if step.after else None,
                "wait_s": parse_period(step.after.wait).seconds if step.after else 0,
                "owner": step.task.owner if step.task else None,
                "input_no": templates.index(step.template) + 1 if step.template else 0,
            }
        )
    types = [pa.string(), pa.int64(), *[pa.string()] * 4, pa.int64(), pa.string(), pa.int64()]
    schema = pa.schema(list(zip(STEP_FIELDS, types, strict=True)))
    return pa.Table.from_pylist(rows, schema)


def _names_table(column: str, names: Sequence[str]) -> pa.Table:
    return _names_as_table(column, tuple(names))


@lru_cache(maxsize=64)
def _names_as_table(column: str, names: tuple[str, ...]) -> pa.Table:
    import pyarrow as pa

    return pa.table({column: pa.array(list(names), pa.string())})
