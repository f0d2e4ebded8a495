"""Ask whether somebody may give an approval: the rules of ``approvals.toml``, and who made what is approved."""

from __future__ import annotations

from sfactl.api.errors import PolicyError
from sfactl.config.approvals import FILE, What, read_approvals
from sfactl.engine.duck import Query
from sfactl.session import Session
from sfactl.workspace.history import author_of


def check_approver(session: Session, query: Query, what: What, size: int, *, plan_id: str = "") -> None:
    """Raise `PolicyError` where the actor of this command may not approve ``what`` with ``size`` effects."""
    rules = read_approvals(session.folder)
    if rules is None:
        return
    teams = teams_of(query, session.actor)
    author = author_of(session.workspace, "plan", plan_id) if plan_id else None
    why = rules.refusal(what, size, actor=session.actor, teams=teams, author=author)
    if why:
        raise PolicyError(why, hint=f"Who may is said in {FILE}.")


def teams_of(query: Query, actor: str) -> list[str]:
    """The teams of somebody; none where they are no rep."""
    row = query.one("select team from reps where rep_id = $actor", {"actor": actor})
    return [str(row[0])] if row and row[0] else []
