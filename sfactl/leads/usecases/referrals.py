"""Link leads with those who referred them, so that these get the credit. What is not known is listed, never dropped."""

from __future__ import annotations

from sfactl.leads import referrals
from sfactl.leads.model import ReferralResult, Unreferred
from sfactl.session import Session

LISTED = 50


def link_referrers(session: Session) -> ReferralResult:
    """Find the referrer of every lead that names one and has none yet, in one commit.

    The lead gets ``referrer_kind`` (lead, contact or rep) and ``referrer_id``. Names that nobody has, or that several
    have, stay in ``referrer`` and are listed.
    """
    with session.write("leads", reason="referrers") as tx:
        query = tx.query
        query.run(f"create or replace temp table referred as {referrals.found()}")
        linked, unknown = query.one(
            "select count(*) filter (where id is not null), count(*) filter (where id is null) from referred"
        ) or (0, 0)
        rows = query.rows(
            f"select lead_id, referrer, people from referred where id is null order by lead_id limit {LISTED}"
        )
        by = query.rows("select kind, count(*) from referred where id is not null group by 1 order by 1")
        commit = None
        if linked:
            tx.upsert(
                "leads",
                "select l.* replace (r.kind as referrer_kind, r.id as referrer_id,"
                " cast($now as timestamp) as updated_at)"
                " from leads l join referred r on r.lead_id = l.lead_id where r.id is not null",
                {"now": session.now()},
            )
            commit = tx.commit(linked=linked, unknown=unknown).seq
    missing = tuple(
        Unreferred(lead_id=number, referrer=name, reason="nobody has this name" if not n else f"{n} people fit")
        for number, name, n in rows
    )
    return ReferralResult(
        linked=linked,
        unknown=unknown,
        by={str(kind): int(n) for kind, n in by},
        missing=missing,
        dry_run=session.dry_run,
        commit=commit,
    )
