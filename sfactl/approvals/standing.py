"""Which approvals a quote or an order needs, which it has, and how one is given.

A word is for one revision at one size: what was priced anew is asked about anew. Nobody approves what they made, unless
``approvals.toml`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import PolicyError
from sfactl.approvals.actors import teams_of
from sfactl.approvals.model import Approved, Asked, Need
from sfactl.config.approvals import FILE, Rule, read_approvals
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.workspace import Transaction

DATASET = "approvals"


def needs_of(session: Session, query: Query, asked: Asked) -> tuple[Need, ...]:
    """The approvals that ``asked`` needs, with those that were given. Raises `ConfigError`."""
    rules = _rules(session, asked)
    return tuple(_need(query, asked, rule) for rule in rules)


def check_approved(session: Session, query: Query, asked: Asked) -> None:
    """Raise `PolicyError` while an approval is missing, saying whose."""
    missing = [n for n in needs_of(session, query, asked) if not n.given_by]
    if missing:
        raise PolicyError(
            f"{asked.called} needs an approval: {' · '.join(map(str, missing))}",
            hint=f"One of them gives it with: sfactl {asked.what} approve {asked.called}",
        )


def approve(session: Session, tx: Transaction, asked: Asked, *, reason: str = "") -> Approved:
    """Give the word of this command's actor, for every rule under which it counts; the caller commits.

    Raises `PolicyError` where the actor made it, or none of the rules asks for them.
    """
    needs, rules = needs_of(session, tx.query, asked), _rules(session, asked)
    wanted = [(n, r) for n, r in zip(needs, rules, strict=True) if not n.given_by]
    if not wanted:
        return Approved(called=asked.called, given=(), repeated=True, dry_run=session.dry_run)
    approvals = read_approvals(session.folder)
    if asked.author == session.actor and not (approvals and approvals.self_approval):
        raise PolicyError(
            f"{session.actor} made it, so somebody else must approve it", hint=f"Who may is said in {FILE}."
        )
    teams = teams_of(tx.query, session.actor)
    mine = [n for n, r in wanted if r.lets(session.actor, teams)]
    if not mine:
        whose = " · ".join(str(n) for n, _ in wanted)
        raise PolicyError(f"{asked.called} is not for {session.actor} to approve: {whose}", hint=f"See {FILE}.")
    tx.append(DATASET, _rows(session, asked, mine, reason))
    left = tuple(n for n, _ in wanted if n not in mine)
    return Approved(called=asked.called, given=tuple(n.rule for n in mine), open=left, dry_run=session.dry_run)


def _rules(session: Session, asked: Asked) -> tuple[Rule, ...]:
    rules = read_approvals(session.folder)
    if rules is None:
        return ()
    return rules.needed(asked.what, amount=asked.amount, discount=asked.discount, currency=asked.currency)


def _need(query: Query, asked: Asked, rule: Rule) -> Need:
    found = query.one(
        'select actor, "at" from approvals where what = $what and number = $number and revision = $revision'
        ' and rule = $rule and amount = $amount order by "at" limit 1',
        {
            "what": asked.what,
            "number": asked.number,
            "revision": asked.revision,
            "rule": rule.oversteps(),
            "amount": asked.amount,
        },
    )
    by, at = found or ("", None)
    return Need(rule=rule.oversteps(), by=rule.by, given_by=by, given_at=at)


def _rows(session: Session, asked: Asked, needs: Sequence[Need], reason: str) -> pa.Table:
    import pyarrow as pa

    rows = [
        {
            "approval_id": f"{asked.what}.{asked.number}.{asked.revision}.{need.rule}",
            "at": session.now(),
            "what": asked.what,
            "number": asked.number,
            "revision": asked.revision,
            "rule": need.rule,
            "actor": session.actor,
            "amount": asked.amount,
            "currency": asked.currency,
            "discount_percent": asked.discount,
            "reason": reason or None,
        }
        for need in needs
    ]
    return pa.Table.from_pylist(rows, schema=session.workspace.schemas[DATASET].arrow())
