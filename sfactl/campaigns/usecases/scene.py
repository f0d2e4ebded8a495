"""What every campaign use case begins with: the files, the place, the audience, and what the ledger holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, Conflict, NotFound, UserError
from sfactl.campaigns.candidates import Place
from sfactl.campaigns.files import CampaignFiles, campaign_names, read_campaign
from sfactl.campaigns.letterhead import Letterhead
from sfactl.campaigns.model import Campaign
from sfactl.campaigns.planning import effects_table
from sfactl.campaigns.pressure import ends_at
from sfactl.campaigns.rounds import load_rounds
from sfactl.config.cases import NOTICES
from sfactl.config.objects import read_toml
from sfactl.consent.gate import listen, load_words
from sfactl.consent.model import House
from sfactl.engine.duck import Query
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.workspace.ledger import EffectRow

GATES = {"leads", "reps", "touchpoints", "suppressions", "segment_members", "messages", "tasks"}
"""Datasets that decide whether a message may go; commits to others never stop a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """One plan as it is stored."""

    plan_id: str
    campaign: str
    version: str
    data_seq: int
    planned_at: datetime
    sends: int
    tasks: int
    waits: int
    skips: int
    holds: int
    state: str
    approved_by: str | None
    approved_at: datetime | None
    applied_at: datetime | None

    @property
    def short(self) -> str:
        """As people write it."""
        return self.plan_id[:6]


WANTED = "(lead_id bigint, step varchar, rotation bigint, is_out boolean)"
"""The columns of the table wanted: who is to get which step, and whether the condition of the step keeps them out."""

STANDSTILL = "touch.stopped"
"""The cursor that says whether all sending of the workspace is stopped."""

PLAN_COLUMNS = tuple(PlanRow.__dataclass_fields__)


def scope_of(campaign: str) -> str:
    """The scope of a campaign's effects in the ledger."""
    return f"campaign/{campaign}"


def read_files(session: Session, name: str) -> CampaignFiles:
    """The campaign and its templates. Raises `ConfigError`, also for a topic that is not there."""
    files = read_campaign(session.folder, name, session.workspace.schemas)
    house_of(session).terms(files.campaign.topic, where=str(files.path))
    return files


def place_of(session: Session) -> Place:
    """Where plans are made."""
    w = session.settings.workspace
    return Place(
        tenant=session.workspace.id,
        time_zone=w.time_zone,
        name=w.name or session.folder.name,
        language=w.language,
        address=w.address,
        collector=session.settings.collect.url,
        feedback_id=session.settings.touch.feedback_id,
        transactional=transactional(session),
        house=house_of(session),
    )


def house_of(session: Session) -> House:
    """What the workspace says for all its messages."""
    return House(touch=session.settings.touch, topics=session.settings.topics)


def letterhead_of(session: Session) -> Letterhead:
    """What the messages of this workspace carry."""
    w = session.settings.workspace
    return Letterhead(
        name=w.name or session.folder.name,
        address=w.address,
        collector=session.settings.collect.url,
        feedback_id=session.settings.touch.feedback_id,
        signer=session.links,
    )


def transactional(session: Session) -> list[str]:
    """Campaigns and strategies whose messages count for no cap, and the notices of cases."""
    campaigns = [session.folder / "campaigns" / f"{name}.toml" for name in campaign_names(session.folder)]
    strategies = sorted((session.folder / "strategies").glob("*.toml"))
    found = [p.stem for p in campaigns if _said(p).get("class") == "transactional"]
    found += [p.stem for p in strategies if _touch_class(_said(p).get("touch")) == "transactional"]
    return [*found, NOTICES]


def load_audience(session: Session, query: Query, files: CampaignFiles, at: datetime) -> None:
    """Make the tables audience, wanted and blacklist for a plan at ``at``."""
    campaign = files.campaign
    if campaign.confirm:
        load_requests(query, campaign, house_of(session))
        load_blacklist(session, query, campaign)
        return
    if campaign.where:
        compiled = _compile(session, campaign.where, f"{files.path}: where", at)
        query.run(f"create or replace temp table audience as select lead_id from ({compiled.sql})", compiled.params)
    else:
        _check_segment(session, query, campaign.segment)
        _members(query, "audience", campaign.segment)
    query.run(f"create or replace temp table wanted {WANTED}")
    if campaign.occasion:
        load_rounds(query, campaign, campaign.occasion, at)
    for number, step in enumerate(campaign.steps):
        named: dict[str, object] = {"step_name": step.name}
        source, is_out = f"{_for_step(campaign, number, at, named)} a", "false"
        if step.where:
            compiled = _compile(session, step.where, f"{files.path}: steps[{number}].where", at)
            source, is_out = f"{source} left join ({compiled.sql}) m on m.lead_id = a.lead_id", "m.lead_id is null"
            named |= compiled.params
        query.run(f"insert into wanted select a.lead_id, $step_name, a.rotation, {is_out} from {source}", named)
    load_blacklist(session, query, campaign)


def _for_step(campaign: Campaign, number: int, at: datetime, params: dict[str, object]) -> str:
    """Who stands before the step at place ``number``, in which rotation, as SQL; adds what it takes to ``params``."""
    if campaign.occasion is None:
        params["rotation_no"] = campaign.rotation
        return "(select lead_id, cast($rotation_no as bigint) as rotation from audience)"
    if number:
        return "(select lead_id, rotation from begun)"
    params["round_at"] = at
    return "(select lead_id, rotation from rounds where due_at <= $round_at and rests_until is null)"


def load_requests(query: Query, campaign: Campaign, house: House) -> None:
    """Make the tables audience and wanted of those who have subscribed and are to be asked whether they mean it."""
    terms = house.terms(campaign.topic, where=f"campaign {campaign.name}")
    if not terms.double_opt_in:
        about = f"topic {campaign.topic!r}" if campaign.topic else "mail about no topic"
        raise ConfigError(
            f"campaign {campaign.name}: confirm: {about} asks nobody to confirm",
            hint="Set double_opt_in = true for the topic in sfactl.toml, or in [touch] for all.",
        )
    listen(query, "touchpoints")
    load_words(query, campaign.name, terms, people="select email, phone from leads limit 0")
    params = {"topic": terms.topic, "confirm_s": terms.confirm_s}
    query.run(f"create or replace temp table requests as {query.statement('consent', 'requests')}", params)
    query.run("create or replace temp table audience as select lead_id from requests")
    query.run(f"create or replace temp table wanted {WANTED}")
    for step in campaign.steps:
        query.run("insert into wanted select lead_id, $step, rotation, false from requests", {"step": step.name})


def load_frozen(session: Session, query: Query, files: CampaignFiles, chosen: pa.Table) -> None:
    """The same tables for recipients that a plan has frozen; ``chosen`` has their lead_id, step and rotation."""
    query.register("chosen", chosen)
    query.run("create or replace temp table audience as select distinct lead_id from chosen")
    query.run(f"create or replace temp table wanted {WANTED}")
    query.run("insert into wanted select distinct lead_id, step, rotation, false from chosen")
    load_blacklist(session, query, files.campaign)


def load_blacklist(session: Session, query: Query, campaign: Campaign) -> None:
    """Make the table blacklist."""
    if campaign.blacklist:
        _check_segment(session, query, campaign.blacklist)
    _members(query, "blacklist", campaign.blacklist)


def effects_of(rows: Iterable[EffectRow]) -> pa.Table:
    """Messages in the ledger as the table a plan reads."""
    found = []
    for r in rows:
        if r.kind == "message":
            m: Mapping[str, Any] = r.meta
            at = r.settled_at or r.planned_at
            said = [m.get(name) for name in ("campaign", "step", "lead_id", "recipient")]
            found.append((r.key, *said, r.state, at, m.get("channel")))
    return effects_table(found)


def moved_since(session: Session, seq: int) -> set[str]:
    """Datasets that commits after ``seq`` changed."""
    found = session.workspace.manifest.rows(
        "select distinct dataset from files where added_seq > ?1 or removed_seq > ?1", seq
    )
    return {str(r[0]) for r in found}


def find_plan(query: Query, ref: str) -> PlanRow:
    """The one plan whose id begins with ``ref``. Raises `NotFound`, or `UserError` where several do."""
    found = plan_rows(query, "starts_with(plan_id, $ref)", {"ref": ref.lower()}) if len(ref) >= 4 else []
    if not found:
        raise NotFound(f"there is no plan {ref!r}", hint="See: sfactl campaign status NAME")
    if len(found) > 1:
        raise UserError(f"plan {ref!r} could be {', '.join(p.plan_id[:12] for p in found)}", hint="Write more of it.")
    return found[0]


def plan_rows(query: Query, where: str, params: Mapping[str, Any]) -> list[PlanRow]:
    """Stored plans, newest first."""
    sql = f"select {', '.join(PLAN_COLUMNS)} from plans where {where} order by planned_at desc, plan_id"
    return [PlanRow(**dict(zip(PLAN_COLUMNS, row, strict=True))) for row in query.rows(sql, params)]


def check_newest(query: Query, row: PlanRow, group: str) -> None:
    """Refuse to look once more for those whom a plan missed where a later one has looked at them since.

    Raises `Conflict`.
    """
    found = query.one(
        "select left(plan_id, 6) from plans where campaign = $name and state in ('partly', 'applied')"
        " and planned_at > $at and kind is not distinct from (select kind from plans where plan_id = $plan)"
        " order by planned_at desc limit 1",
        {"name": row.campaign, "at": row.planned_at, "plan": row.plan_id},
    )
    if found is not None:
        raise Conflict(
            f"plan {row.short} is not the newest: {found[0]} was begun since",
            hint=f"Go on with: sfactl {group} resume {found[0]} --missing",
        )


def plan_table(rows: Sequence[PlanRow]) -> pa.Table:
    """Plans as rows to store."""
    import pyarrow as pa

    from sfactl.schemas import core_schemas

    schema = core_schemas()["plans"].arrow()
    return pa.Table.from_pylist([{n: getattr(r, n) for n in r.__dataclass_fields__} for r in rows], schema)


def expires_at(session: Session, campaign: Campaign) -> datetime | None:
    """When the campaign ends, naive UTC; a time without a zone is the workspace's."""
    return ends_at(campaign, session.settings.workspace.time_zone)


def halted_by(session: Session, name: str, *, sends: bool = True) -> str:
    """Why nothing of the campaign or strategy ``name`` may leave now; empty where it may.

    Where it ``sends`` nothing, what stops all sending does not concern it.
    """
    if sends and (said := session.workspace.cursor(STANDSTILL)) is not None:
        reason = f": {said['reason']}" if said.get("reason") else ""
        return f"all sending is stopped by {said['by']}{reason} (sfactl touch start)"
    by = paused_by(session, name)
    return f"{name} is paused by {by}" if by else ""


def pause_name(campaign: str) -> str:
    """The cursor that says whether a campaign is paused."""
    return f"campaign.{campaign}.paused"


def paused_by(session: Session, campaign: str) -> str | None:
    """Who paused the campaign; None while it runs."""
    found = session.workspace.cursor(pause_name(campaign))
    return str(found["by"]) if found else None


def _said(path: Path) -> Mapping[str, Any]:
    """What a file says; one that cannot be read stops no other, and what it sent counts for caps like any message."""
    try:
        return read_toml(path)
    except ConfigError:
        return {}


def _touch_class(touch: object) -> object:
    return touch.get("class") if isinstance(touch, Mapping) else None


def _compile(session: Session, text: str, where: str, at: datetime) -> Any:
    from sfactl.engine.conditions import compile_condition

    return compile_condition(text, entity="leads", schemas=session.workspace.schemas, where=where, now=at)


def _members(query: Query, table: str, segment: str) -> None:
    query.run(
        f"create or replace temp table {table} as select lead_id from segment_members where segment = $segment",
        {"segment": segment},
    )


def _check_segment(session: Session, query: Query, segment: str) -> None:
    if query.one("select 1 from segment_members where segment = $segment limit 1", {"segment": segment}):
        return
    if not (session.folder / "segments" / f"{segment}.toml").is_file():
        raise ConfigError(f"there is no segment {segment!r}", hint="Segments are files segments/NAME.toml.")
    session.note(f"Segment {segment} has no members. Build it with: sfactl segment build {segment}")
