"""Keep who has what to say in a deal: its buying centre, after Webster and Wind (1972)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sfactl.api.errors import NotFound
from sfactl.opportunities.usecases.deals import find

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session

Role = Literal["initiator", "user", "influencer", "decider", "approver", "buyer", "gatekeeper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged:
    """A role that was given or taken away; ``changed`` is False where it was so before."""

    opportunity_id: int
    lead_id: int
    role: Role
    changed: bool
    dry_run: bool = False
    commit: int | None = None


def give_role(session: Session, ref: str, lead_id: int, role: Role) -> RoleChanged:
    """Say that a person has ``role`` in the deal ``ref``. Raises `NotFound`."""
    with session.write("buying_roles") as tx:
        deal = find(tx.query, ref)
        key = (deal["opportunity_id"], lead_id, role)
        commit = None
        if changed := tx.query.get("buying_roles", *key) is None:
            tx.upsert(
                "buying_roles",
                "select cast($deal as bigint) as opportunity_id, cast($lead as bigint) as lead_id, $role as role,"
                " cast($account as bigint) as account_id, $outcome as outcome, cast($since as timestamp) as since",
                {
                    "deal": key[0],
                    "lead": lead_id,
                    "role": role,
                    "account": deal["account_id"],
                    "outcome": deal["category"],
                    "since": deal["closed_at"] or session.now(),
                },
            )
            commit = tx.commit(opportunity=key[0], lead=lead_id).seq
    return _changed(session, key, changed=changed, commit=commit)


def take_role(session: Session, ref: str, lead_id: int, role: Role) -> RoleChanged:
    """Say that a person has no such role any more. Raises `NotFound` where they had none."""
    with session.write("buying_roles") as tx:
        key = (find(tx.query, ref)["opportunity_id"], lead_id, role)
        if tx.query.get("buying_roles", *key) is None:
            raise NotFound(f"lead {lead_id} is no {role} in opp:{key[0]}", hint=f"See: sfactl opp role list {key[0]}")
        named = {"deal": key[0], "lead": lead_id, "role": role}
        tx.delete(
            "buying_roles",
            "select cast($deal as bigint) as opportunity_id, cast($lead as bigint) as lead_id, $role as role",
            named,
        )
        commit = tx.commit(opportunity=key[0], lead=lead_id).seq
    return _changed(session, key, changed=True, commit=commit)


def roles(session: Session, ref: str) -> pa.Table:
    """The buying centre of the deal ``ref``: one row per person and role."""
    with session.query() as query:
        return query.table(
            "select r.role, r.lead_id, l.full_name as name, l.title, l.email, l.phone, r.outcome, r.since"
            " from buying_roles r left join leads l on l.lead_id = r.lead_id where r.opportunity_id = $deal"
            " order by r.role, r.lead_id",
            {"deal": find(query, ref)["opportunity_id"]},
        )


def _changed(session: Session, key: tuple[int, int, Role], *, changed: bool, commit: int | None) -> RoleChanged:
    return RoleChanged(
        opportunity_id=key[0],
        lead_id=key[1],
        role=key[2],
        changed=changed,
        dry_run=session.dry_run,
        commit=commit,
    )
