"""Run the public pool: who may claim what, what goes back and when, and who is in each other's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, PolicyError, SfactlError
from sfactl.config.pool import FILE, PoolRules, read_pool
from sfactl.engine.companies import company_key, folded
from sfactl.engine.periods import parse_period
from sfactl.reps import pool as shapes
from sfactl.reps.pool import Claimed, Collided, Recycled, Refusal, Returned
from sfactl.reps.usecases.scene import find_lead, find_rep
from sfactl.reps.usecases.writing import CHANGED, holdings, write_owners

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

GIVEN = "cast(null as varchar) as rule"


def check_pool(session: Session) -> tuple[str, ...]:
    """What is wrong with ``pool.toml``, as messages; nothing for a workspace without it."""
    try:
        rules = read_pool(session.folder)
        if rules is not None:
            _compiled(session, rules, session.as_of_time())
    except SfactlError as err:
        return (err.message,)
    return ()


def list_pool(session: Session, *, states: Sequence[str] = (), rep: str | None = None) -> pa.Table:
    """Where every lead stands: in the pool, asleep, or held by a rep, and until when it is protected."""
    rules, now = _rules(session), session.as_of_time()
    with session.query() as query:
        holdings(query, rules, now)
        return query.table(query.statement("reps", "pool_list"), {"states": list(states), "rep": rep})


def due(session: Session, *, within: str) -> pa.Table:
    """The held leads that go back to the pool within a time from now unless something happens, the next first."""
    rules, now = _rules(session), session.as_of_time()
    until = parse_period(within).after(now)
    with session.query() as query:
        holdings(query, rules, now)
        return query.table(
            "select r.lead_id, coalesce(l.full_name, l.company, l.email) as name, r.holder, r.returns_at, r.why,"
            " r.active_at, r.protected_until"
            f" from ({query.statement('reps', 'returning')}) as r join leads as l on l.lead_id = r.lead_id"
            " where r.returns_at <= $until order by r.returns_at, r.lead_id",
            {**_returning(rules), "until": until},
        )


def claim(session: Session, leads: Sequence[int], *, by: str | None = None) -> Claimed:
    """Take leads into the hands of one rep, by default the one who acts.

    A lead is refused while somebody protects it or another lead of the same customer, while the rep who lost it cools
    down, and beyond the rep's holding cap or capacity. Of two who claim the same lead at the same time one gets it.
    """
    rules = _rules(session)
    with session.write(*CHANGED) as tx:
        rep = find_rep(tx.query, by or session.actor)
        if not rep.active:
            raise PolicyError(f"rep {rep.rep_id} is not active", hint=f"sfactl rep set {rep.rep_id} --active")
        judged = _judged(session, tx.query, rules, rep.rep_id, leads)
        refused = tuple(Refusal(lead_id=r["lead_id"], reason=r["refused"]) for r in judged if r["refused"])
        taken = [r["lead_id"] for r in judged if not r["refused"]]
        protection = rules.period("protection")
        done = Claimed(
            rep=rep.rep_id,
            done=tuple(taken),
            refused=refused,
            protected_until=protection.after(session.now()) if protection and taken else None,
            dry_run=session.dry_run,
        )
        if not taken:
            return done
        _give(tx.query, taken, rep.rep_id, "claim", f"claimed by {session.actor}")
        write_owners(session, tx)
        return replace(done, commit=tx.commit(claimed=len(taken), rep=rep.rep_id).seq)


def release(session: Session, leads: Sequence[int], *, by: str | None = None, reason: str | None = None) -> Claimed:
    """Give leads back to the pool by hand; with ``by`` only those of this rep."""
    _rules(session)
    with session.write(*CHANGED) as tx:
        if by is not None:
            find_rep(tx.query, by)
        refused, taken = [], []
        for row in (find_lead(tx.query, n) for n in dict.fromkeys(leads)):
            said = _why_not_released(row, by)
            if said:
                refused.append(Refusal(lead_id=row["lead_id"], reason=said))
            else:
                taken.append(row["lead_id"])
        done = Claimed(rep=by, done=tuple(taken), refused=tuple(refused), dry_run=session.dry_run)
        if not taken:
            return done
        _give(tx.query, taken, None, "release", reason or f"released by {by or session.actor}")
        write_owners(session, tx, into_pool=True)
        return replace(done, commit=tx.commit(released=len(taken)).seq)


def recycle(session: Session) -> Recycled:
    """Return what was idle too long or came to its deadline; let sleep what nobody claims. Again it changes nothing."""
    rules, now = _rules(session), session.now()
    with session.write(*CHANGED) as tx:
        query = tx.query
        holdings(query, rules, now)
        query.run(
            "create or replace temp table given as select lead_id, holder, cast(null as varchar) as rep_id,"
            f" 'recycle' as strategy, {GIVEN}, why as reason from ({query.statement('reps', 'returning')}) as r"
            " where returns_at <= $now",
            {**_returning(rules), "now": now},
        )
        sleep = rules.period("sleep")
        query.run(
            f"create or replace temp table sleepers as {query.statement('reps', 'falling_asleep')}",
            {"now": now, "sleep": rules.sleep, "sleep_before": sleep.before(now) if sleep else datetime.min},
        )
        query.run(f"create or replace temp table strays as {query.statement('reps', 'pool_strays')}")
        (settled,) = query.one("select count(*) from strays") or (0,)
        returned = query.rows("select lead_id, holder, reason from given order by lead_id")
        asleep = query.rows("select lead_id, last_holder, cause from sleepers order by lead_id")
        done = Recycled(
            returned=tuple(Returned(lead_id=n, holder=h, cause=c) for n, h, c in returned),
            asleep=tuple(Returned(lead_id=n, holder=h, cause=c) for n, h, c in asleep),
            settled=settled,
            dry_run=session.dry_run,
        )
        if not (returned or asleep or settled):
            return done
        if settled:
            tx.delete("lead_pool", "select lead_id from strays")
        if asleep:
            tx.upsert("lead_pool", "select * from sleepers")
        if returned:
            write_owners(session, tx, into_pool=True)
        return replace(done, commit=tx.commit(returned=len(returned), asleep=len(asleep), settled=settled).seq)


def wake(session: Session, leads: Sequence[int] = ()) -> Claimed:
    """Put sleeping leads back into the pool: those named, or all that stirred since (an inbound touchpoint)."""
    _rules(session)
    with session.write(*CHANGED) as tx:
        query = tx.query
        leads = [find_lead(query, n)["lead_id"] for n in leads]
        _wanted(query, leads)
        query.run(
            f"create or replace temp table woken as {query.statement('reps', 'waking')}",
            {"now": session.now(), "actor": session.actor, "named": bool(leads)},
        )
        woken = [n for (n,) in query.rows("select lead_id from woken order by lead_id")]
        refused = tuple(
            Refusal(lead_id=n, reason="it is not asleep") for n in dict.fromkeys(leads) if n not in set(woken)
        )
        done = Claimed(rep=None, done=tuple(woken), refused=refused, dry_run=session.dry_run)
        if not woken:
            return done
        tx.upsert("lead_pool", "select * from woken")
        return replace(done, commit=tx.commit(woken=len(woken)).seq)


def collisions(
    session: Session, lead_id: int | None = None, *, keys: Mapping[str, str] | None = None
) -> tuple[Collided, ...]:
    """Who protects this lead's customer, or the customer with these keys (company, tax_id, phone, email)."""
    import pyarrow as pa

    rules, now = _rules(session), session.as_of_time()
    with session.query() as query:
        holdings(query, rules, now)
        _customers(query)
        if lead_id is not None:
            lead_id = find_lead(query, lead_id)["lead_id"]
            own = f"select 1 as place, kind, key, null::bigint as own_lead from customers where lead_id = {lead_id}"
            query.run(f"create or replace temp table asked as {own}")
        else:
            said = _folded(query, keys or {}, session.settings.workspace.country)
            columns = {"place": [1] * len(said), "kind": list(said), "key": list(said.values())}
            typed = {"place": pa.int64(), "kind": pa.string(), "key": pa.string()}
            query.register("asked_for", pa.table({n: pa.array(columns[n], t) for n, t in typed.items()}))
            query.run("create or replace temp table asked as select *, null::bigint as own_lead from asked_for")
        rows = query.table(
            query.statement("reps", "collisions"), {"now": now, "keys": list(rules.collision.keys)}
        ).to_pylist()
    return tuple(Collided(**{k: v for k, v in row.items() if k != "place"}) for row in rows)


def _folded(query: Query, keys: Mapping[str, str], country: str) -> dict[str, str]:
    """Keys as they are stored: the company without its legal form, the phone in E.164."""
    found = {k: v.strip().lower() for k, v in keys.items() if v.strip()}
    if "company" in found:
        sql = (
            f"select {company_key('name')} from (select {folded('said')} as name from (select $said as said) as s) as f"
        )
        (found["company"],) = query.one(sql, {"said": found["company"]}) or ("",)
    if "phone" in found:
        found["phone"] = shapes.e164(found["phone"], country)
    if "tax_id" in found:
        found["tax_id"] = "".join(c for c in found["tax_id"] if c.isalnum())
    return found


def _judged(
    session: Session, query: Query, rules: PoolRules, rep_id: str, leads: Sequence[int]
) -> list[dict[str, Any]]:
    """Every lead asked for, with the reason against it."""
    now = session.now()
    _wanted(query, [find_lead(query, n)["lead_id"] for n in leads])
    holdings(query, rules, now)
    _customers(query)
    query.run(
        "create or replace temp table asked as select w.place, k.kind, k.key, w.lead_id as own_lead"
        " from wanted as w join customers as k on k.lead_id = w.lead_id"
    )
    query.run(
        f"create or replace temp table collisions as {query.statement('reps', 'collisions')}",
        {"now": now, "keys": list(rules.collision.keys)},
    )
    columns = _flags(session, query, rules, now)
    room, no_room = _room(query, rules, rep_id, now)
    sql = query.statement("reps", "claims").replace("{cools_at}", shapes.cools_at(rules.cool_downs, columns))
    params = {"rep": rep_id, "now": now, "room": room, "no_room": no_room}
    judged: list[dict[str, Any]] = query.table(sql, params).to_pylist()
    return judged


def _room(query: Query, rules: PoolRules, rep_id: str, now: datetime) -> tuple[int | None, str]:
    """How many more leads the rep may hold, and what to say to the rest."""
    rep = find_rep(query, rep_id)
    held, protected = query.one(
        "select count(*), count(*) filter (where protected_until > $now) from holdings where holder = $rep",
        {"rep": rep_id, "now": now},
    ) or (0, 0)
    limits = []
    if rules.holding_cap is not None:
        limits.append((rules.holding_cap - protected, f"{rep_id} protects {protected} of {rules.holding_cap} leads"))
    if rep.capacity is not None:
        limits.append((rep.capacity - held, f"{rep_id} has {held} of {rep.capacity} open leads"))
    room, said = min(limits, default=(None, ""))
    return None if room is None else max(0, room), said


def _flags(session: Session, query: Query, rules: PoolRules, now: datetime) -> Mapping[str, str]:
    """Make the temporary table ``flags``: which cool-down is about which lead of wanted; answers their columns."""
    query.run("create or replace temp table candidates as select lead_id from wanted")
    compiled = _compiled(session, rules, now)
    if compiled is None:
        query.run("create or replace temp table flags as select 0::bigint as lead_id where false")
        return {}
    query.run(f"create or replace temp table flags as {compiled.among_sql}", compiled.params)
    return dict(compiled.columns)


def _compiled(session: Session, rules: PoolRules, now: datetime) -> Any:
    """The conditions of the cool-downs as one statement; None where there is none. Raises `ConditionError`."""
    from sfactl.engine.conditions import Condition, compile_many  # late: only conditions pay for their parser

    asked = [
        Condition(name=str(i), text=c.where, where=f"{FILE}: cool_downs[{i}].where")
        for i, c in enumerate(rules.cool_downs)
        if c.where.strip()
    ]
    return compile_many(asked, entity="leads", schemas=session.workspace.schemas, now=now) if asked else None


def _wanted(query: Query, leads: Sequence[int]) -> None:
    """Make the temporary table ``wanted``: the leads in the order in which they were named, each once."""
    import pyarrow as pa

    named = pa.array(list(dict.fromkeys(leads)), pa.int64())
    query.register("named_leads", pa.table({"lead_id": named, "place": pa.array(range(len(named)), pa.int64())}))
    query.run("create or replace temp table wanted as select lead_id, place from named_leads")


def _customers(query: Query) -> None:
    query.run(f"create or replace temp view customers as {query.statement('reps', 'customer_keys')}")


def _give(query: Query, leads: Sequence[int], rep: str | None, strategy: str, reason: str) -> None:
    query.run(
        "create or replace temp table given as select unnest($leads) as lead_id, cast($rep as varchar) as rep_id,"
        f" $strategy as strategy, {GIVEN}, $reason as reason",
        {"leads": list(leads), "rep": rep, "strategy": strategy, "reason": reason},
    )


def _why_not_released(row: Mapping[str, Any], by: str | None) -> str:
    if (row["status"] or "new") not in ("new", "mql", "sql"):
        return f"it is {row['status']}"
    if row["owner"] is None:
        return "nobody holds it"
    return f"{row['owner']} holds it" if by is not None and row["owner"] != by else ""


def _returning(rules: PoolRules) -> dict[str, Any]:
    return {
        "idle": rules.idle,
        "deadline": rules.deadline,
        **shapes.length("i", rules.period("idle")),
        **shapes.length("d", rules.period("deadline")),
    }


def _rules(session: Session) -> PoolRules:
    rules = read_pool(session.folder)
    if rules is None:
        raise ConfigError(
            f"{session.folder / FILE}: no such file",
            hint="It says how the public pool works; the preset b2b has one to copy.",
        )
    return rules
