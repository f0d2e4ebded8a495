"""The people a plan looks at: their address and zone, the control group, and the values that templates print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.campaigns.files import CampaignFiles
from sfactl.campaigns.model import CHANNELS
from sfactl.campaigns.templates import CompiledTemplate, Variable
from sfactl.campaigns.windows import zone_of
from sfactl.consent.model import SILENT, House
from sfactl.engine.duck import Query

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a plan is made: the workspace's id, zone and names, and what binds all messages.

    ``transactional`` are the campaigns whose messages count for no cap; ``collector`` is where links lead to.
    """

    tenant: str
    time_zone: str
    name: str
    language: str = ""
    address: str = ""
    collector: str = ""
    feedback_id: str = ""
    transactional: Sequence[str] = ()
    house: House = SILENT


ADDRESSED = {channel for channel, fields in CHANNELS.items() if "id" not in fields}
"""Channels whose address stands in the lead's own row."""


def load_candidates(query: Query, files: CampaignFiles, place: Place) -> None:
    """Make the table candidates from audience: address, zone, owner, holdout, and the values that templates print; and
    channel_ids, the ids by which its people are known to channels that have no address of their own."""
    _load_channel_ids(query, files)
    pairs = query.rows(
        "select distinct coalesce(l.time_zone, ''), coalesce(l.country, ''), coalesce(l.language, '')"
        " from leads l join audience a on a.lead_id = l.lead_id"
    )
    query.register("places", _places_table(pairs, files, place))
    values = "".join(f", {_column(v)} as {alias(v)}" for v in files.variables)
    numbered = enumerate((t for _, t in sorted(files.templates.items())), 1)
    inputs = ", ".join(_fingerprint(t, f"p.wording_{number}") for number, t in numbered) or "''"
    wordings = "".join(f", p.wording_{i + 1}" for i in range(len(files.templates)))
    query.run(
        f"""create or replace temp table candidates as
        select l.lead_id, trim(l.email) as email, l.phone, l.owner, p.zone, [{inputs}] as inputs,
            $holdout > 0 and {_bucket()} < $holdout * 100 as in_holdout{wordings}{values}
        from audience a join leads l on l.lead_id = a.lead_id
        left join reps r on r.rep_id = l.owner
        join places p on p.time_zone = coalesce(l.time_zone, '') and p.country = coalesce(l.country, '')
            and p.language = coalesce(l.language, '')""",
        {"holdout": files.campaign.holdout, "salt": f"{files.campaign.name}.{files.campaign.rotation}."},
    )


def address_of(row: Mapping[str, Any], channel: str) -> str:
    """Where a person of candidates is written to by ``channel``; empty where nowhere. ``row`` also has `ids_of`."""
    fields = CHANNELS.get(channel, "id, email, phone").split(", ")
    known = {**row, "id": row["channel_ids"].get(channel)}
    return next((known[field] for field in fields if known[field]), "")


def ids_of(query: Query, lead_id: int) -> dict[str, Any]:
    """The ids of one person by channel, for the value ``channel_ids`` of a row."""
    return dict(query.rows("select channel, value from channel_ids where lead_id = $lead", {"lead": lead_id}))


def _load_channel_ids(query: Query, files: CampaignFiles) -> None:
    import pyarrow as pa

    spoken = sorted({s.channel for s in files.campaign.steps if s.action == "send" and s.channel} - ADDRESSED)
    if not spoken:  # as in nearly all campaigns: nothing is looked through for it
        empty = "select cast(0 as bigint) as lead_id, '' as channel, '' as value where false"
        query.run(f"create or replace temp table channel_ids as {empty}")
        return
    query.register("spoken_channels", pa.table({"channel": pa.array(spoken, pa.string())}))
    source = query.statement("campaigns", "channel_ids")
    query.run(f"create or replace temp table channel_ids as {source}")


def alias(variable: Variable) -> str:
    """The column of ``candidates`` that holds a variable."""
    return f"{variable[0]}__{variable[1]}"


def values_of(
    row: Mapping[str, Any], files: CampaignFiles, *, workspace: Mapping[str, str], message: Mapping[str, str]
) -> dict[str, Any]:
    """What a template sees for one row of candidates."""
    values: dict[str, dict[str, Any]] = {"lead": {}, "rep": {}, **{owner: {} for owner in files.about}}
    for owner, field in (*files.variables, *files.particulars):
        values[owner][field] = row.get(alias((owner, field)))
    campaign = {"name": files.campaign.name, "summary": files.campaign.summary}
    return values | {"campaign": campaign, "workspace": workspace, "message": message}


def _places_table(rows: Sequence[tuple[Any, ...]], files: CampaignFiles, place: Place) -> pa.Table:
    import pyarrow as pa

    zones, countries, languages = zip(*rows, strict=True) if rows else ((), (), ())
    columns: dict[str, Any] = {
        "time_zone": pa.array(zones, pa.string()),
        "country": pa.array(countries, pa.string()),
        "language": pa.array(languages, pa.string()),
        "zone": pa.array([zone_of(z, c, place.time_zone) for z, c, _ in rows], pa.string()),
    }
    for number, (_, template) in enumerate(sorted(files.templates.items()), 1):
        columns[f"wording_{number}"] = pa.array(
            [template.language_for(x or place.language) for x in languages], pa.string()
        )
    return pa.table(columns)


def _column(variable: Variable) -> str:
    owner, field = variable
    return f'{"l" if owner == "lead" else "r"}."{field}"'


def _fingerprint(template: CompiledTemplate, wording: str) -> str:
    """All that decides what a person reads: the values that are printed, and where there are several the language."""
    parts = [f"coalesce(cast({_column(v)} as varchar), '')" for v in template.used if v[0] in ("lead", "rep")]
    parts += [wording] if len(template.wordings) > 1 else []
    return f"left(md5(concat_ws(chr(31), {', '.join(parts)})), 16)" if parts else "''"


def _bucket() -> str:
    """A number below 10,000 that depends on campaign, rotation and lead only: four hex digits of MD5."""
    digits = "md5($salt || cast(l.lead_id as varchar))"
    values = [f"(instr('0123456789abcdef', substr({digits}, {i}, 1)) - 1) * {16 ** (6 - i)}" for i in range(1, 7)]
    return f"({' + '.join(values)}) % 10000"
