"""Keep won deals as examples, with the rows that tell their way, and draft strategies after them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import tomlkit

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.engine.conditions.source import nearest
from sfactl.processes.playbook import Playbook, Stage, stages, strategy_of
from sfactl.processes.usecases.replay import SQL

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

DATASET = "playbooks"
TRAITS = ("industry", "country", "employees", "source", "channel", "product_interest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The draft of a strategy that was written, or in a dry run would be."""

    strategy: str
    file: str
    steps: int
    text: str
    dry_run: bool


def add_case(session: Session, opportunity: int, *, name: str = "", note: str = "") -> Playbook:
    """Keep the won deal as the case ``name`` (default: ``opp-NUMBER``). Raises `NotFound`, and `PolicyError` for a deal
    that is not won or has no lead, or a name that is taken by another deal."""
    name = name or f"opp-{opportunity}"
    with session.write(DATASET, reason=f"case {name}") as tx:
        made = _taken(session, tx.query, opportunity, name, note)
        known = tx.query.get(DATASET, name)
        if known and known["opportunity_id"] != opportunity:
            raise PolicyError(f"case {name!r} is of deal {known['opportunity_id']}", hint="Say another --name.")
        tx.upsert(DATASET, _row(made, tx.query))
        tx.commit()
    return made


def list_cases(session: Session) -> tuple[Playbook, ...]:
    """Every case, the newest win first."""
    with session.query() as query:
        rows = query.table("select * from playbooks order by won_at desc, name").to_pylist()
    return tuple(map(_read, rows))


def show_case(session: Session, name: str) -> Playbook:
    """The case ``name``. Raises `NotFound` with the nearest name."""
    found = {case.name: case for case in list_cases(session)}
    if name not in found:
        raise NotFound(
            f"there is no case {name!r}", hint=nearest(name, found).strip() or "See: sfactl case-library list"
        )
    return found[name]


def use_case(session: Session, name: str, *, strategy: str, owner: str = "") -> Drafted:
    """Write ``strategies/STRATEGY.toml``, a draft that goes the way of the case. Raises `PolicyError` if it exists."""
    case = show_case(session, name)
    if not strategy.replace("-", "").isalnum() or strategy != strategy.lower():
        raise UserError(f"--as {strategy}: use lower-case letters, digits and -")
    path = session.folder / "strategies" / f"{strategy}.toml"
    if path.exists():
        raise PolicyError(f"strategies/{strategy}.toml is there already", hint="Say another name with --as.")
    values = strategy_of(case, owner=owner or session.actor)
    values["where"] = tomlkit.string(f"{values['where']}\n", multiline=True)
    text = f"# Drafted from the case {name}. Read it, change it, then set state to active.\n{tomlkit.dumps(values)}"
    if not session.dry_run:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Drafted(
        strategy=strategy,
        file=f"strategies/{strategy}.toml",
        steps=len(values["steps"]),
        text=text,
        dry_run=session.dry_run,
    )


def _taken(session: Session, query: Query, opportunity: int, name: str, note: str) -> Playbook:
    deal = query.get("opportunities", opportunity)
    if deal is None:
        raise NotFound(f"there is no opportunity {opportunity}", hint="See: sfactl opp list")
    if deal["category"] != "won":
        raise PolicyError(f"opportunity {opportunity} is {deal['category']}, not won")
    if deal["lead_id"] is None:
        raise PolicyError(f"opportunity {opportunity} came from no lead, so its way is not known")
    won_at = deal["closed_at"] or deal["updated_at"]
    params = {"lead": deal["lead_id"], "opportunity": opportunity, "won_at": won_at}
    way = stages(query.table(query.statement(SQL, "playbook_way"), params).to_pylist())
    lead = query.get("leads", deal["lead_id"]) or {}
    return Playbook(
        name=name,
        opportunity_id=opportunity,
        lead_id=deal["lead_id"],
        won_at=won_at,
        amount=deal["amount"],
        currency=deal["currency"],
        days=way[-1].day if way else 0.0,
        steps=len(way),
        note=note,
        added_at=session.now(),
        added_by=session.actor,
        traits={field: lead[field] for field in TRAITS if lead.get(field) is not None},
        path=way,
    )


def _row(case: Playbook, query: Query) -> Any:
    import pyarrow as pa

    values = {field: [getattr(case, field)] for field in _PLAIN}
    values["path"] = [json.dumps([asdict(stage) for stage in case.path], ensure_ascii=False)]
    values["traits"] = [json.dumps(dict(case.traits), ensure_ascii=False, default=str)]
    values["data_seq"] = [query.seq]
    return pa.table(values)


_PLAIN = (
    "name", "opportunity_id", "lead_id", "won_at", "amount", "currency", "days", "note", "added_at", "added_by",
)  # fmt: skip


def _read(row: dict[str, Any]) -> Playbook:
    path = tuple(Stage(**stage) for stage in json.loads(row["path"]))
    own = {field: row[field] for field in _PLAIN}
    return Playbook(**own, steps=len(path), traits=json.loads(row["traits"]), path=path)
