"""Where customers stand on a journey: derived from the data each time it is asked, stored when `run` is told to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, SfactlError, UserError
from sfactl.config.tags import known_tags
from sfactl.processes.arrivals import Arrivals, Known, compiled
from sfactl.processes.journey import Journey, chosen, node_named, paths, read_journey
from sfactl.processes.results import Checked
from sfactl.processes.standing import Customer, Derived, NodeStatus, Standing, Status
from sfactl.processes.usecases.replay import MICROS, SQL

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

DATASET = "journeys"


def list_journeys(session: Session) -> tuple[Journey, ...]:
    """Every journey file, by name. Raises `ConfigError`."""
    return tuple(map(read_journey, paths(session.folder)))


def check_journeys(session: Session, files: Sequence[Path] = ()) -> Checked:
    """Read and compile journey files (default: all of the workspace); collects problems."""
    found = list(files) or paths(session.folder)
    problems = []
    for path in found:
        try:
            _compiled(session, read_journey(path))
        except SfactlError as err:
            problems.append(err.message)
    return Checked(checked=len(found), problems=tuple(problems))


def status(session: Session, name: str = "") -> Status:
    """Every node of the journey and who is there as of ``--as-of``. Raises `NotFound`, `UserError`."""
    journey = chosen(session.folder, name)
    with travelled(session, journey) as query:
        rows = query.table(query.statement(SQL, "journey_nodes"), {"now": session.as_of_time()}).to_pylist()
        (leads,) = query.rows("select count(*) from leads")[0]
        seq = query.seq
    nodes = []
    for row, before in zip(rows, [None, *rows], strict=False):
        previous = before["got_here"] if before else None
        nodes.append(
            NodeStatus(
                node=row["name"],
                title=row["title"],
                here=row["here_now"],
                so_far_days=row["so_far_days"],
                overdue=row["overdue"],
                got_here=row["got_here"],
                of_previous=row["got_here"] / previous if previous else None,
                skipped=row["skipped"],
                went_on=row["went_on"],
                stayed_days=row["stayed_days"],
            )
        )
    here = sum(node.here for node in nodes)
    return Status(
        journey=journey.name, at=session.as_of_time(), seq=seq, customers=here, before=leads - here, nodes=tuple(nodes)
    )


def customers(session: Session, name: str = "", *, node: str = "", overdue: bool = False) -> pa.Table:
    """Customers at ``node`` (default: at any), those who have been there longest first."""
    journey = chosen(session.folder, name)
    number = node_named(journey, node) if node else 0
    with travelled(session, journey) as query:
        return query.table(
            query.statement(SQL, "journey_customers"),
            {"now": session.as_of_time(), "number": number, "overdue_only": overdue},
        )


def customer(session: Session, reference: str, name: str = "") -> tuple[Customer, ...]:
    """Where the lead, or every lead of the account, stands: ``lead:12``, ``12`` or ``account:3``.

    Of an account the lead that is furthest comes first. Raises `NotFound`.
    """
    journey = chosen(session.folder, name)
    kind, number = _subject(reference)
    with session.query() as query:
        leads = query.rows(query.statement(SQL, f"journey_of_{kind}"), {"id": number})
    if not leads:
        raise NotFound(f"there is no {kind} {number}" if kind == "lead" else f"account {number} has no lead")
    ids = [row[0] for row in leads]
    with travelled(session, journey, only=ids) as query:
        ways = query.table("select * from way order by lead_id, number").to_pylist()
        arrivals = query.table("select * from arrival").to_pylist()
    told = {(row["lead_id"], row["number"]): row for row in arrivals}
    walked = {(row["lead_id"], row["number"]): row for row in ways}
    at = session.as_of_time()
    found = [_customer(journey, lead_id, said or "", told, walked, at) for lead_id, said in leads]
    names = [node.name for node in journey.nodes]
    return tuple(sorted(found, key=lambda c: (-(names.index(c.node) if c.node else -1), c.lead_id)))


def run(session: Session, name: str = "") -> Derived:
    """Store where every customer stands, so that conditions can ask for it: ``has(journeys) filter (…)``.

    Only what changed is written. Raises `NotFound`, `UserError`.
    """
    journey = chosen(session.folder, name)
    with session.write(DATASET, reason=f"journey {journey.name}") as tx:
        query = tx.query
        _travel(session, query, journey, only=None)
        params = {"journey": journey.name, "now": session.now()}
        query.run(f"create temp table moves as {query.statement(SQL, 'journey_changes')}", params)
        query.run(
            "create temp table gone as select journey, lead_id from journeys where journey = $journey"
            " and lead_id not in (select lead_id from way where here)",
            params,
        )
        changed, moved = query.rows("select count(*), count(case when moved then 1 end) from moves")[0]
        (placed,) = query.rows("select count(*) from way where here")[0]
        (gone,) = query.rows("select count(*) from gone")[0]
        if changed:
            tx.upsert(DATASET, "select journey, lead_id, node, since, previous, changed_at from moves")
        if gone:
            tx.delete(DATASET, "select journey, lead_id from gone")
        if changed or gone:
            tx.commit(moved=moved, gone=gone)
    commit = tx.committed.seq if tx.committed else None
    return Derived(
        journey=journey.name, customers=placed, moved=moved, gone=gone, commit=commit, dry_run=session.dry_run
    )


@contextmanager
def travelled(session: Session, journey: Journey, *, only: Sequence[int] | None = None) -> Iterator[Query]:
    """A query with the tables ``arrival``, ``way`` (every node come to) and ``node``, of all leads or of ``only``."""
    with session.query() as query:
        _travel(session, query, journey, only=only)
        yield query


def _travel(session: Session, query: Query, journey: Journey, *, only: Sequence[int] | None) -> None:
    import pyarrow as pa

    arrivals = _compiled(session, journey)
    _lay_nodes(query, journey)
    if only is not None:
        query.register("candidates", pa.table({"lead_id": pa.array(only, pa.int64())}))
    sql = arrivals.sql if only is None else arrivals.among_sql
    query.run(f"create temp table reached as {sql}", arrivals.params)
    parts = (
        f"select lead_id, {place} as number, _t{place} as told_at, _h{place} as holds from reached"
        for place in range(1, len(journey.nodes) + 1)
    )
    query.run(f"create temp table arrival as {' union all '.join(parts)}")
    query.run(f"create temp table way as {query.statement(SQL, 'journey_way')}", {"now": session.as_of_time()})


def _compiled(session: Session, journey: Journey) -> Arrivals:
    folder = session.folder
    return compiled(
        journey,
        schemas=session.workspace.schemas,
        now=session.as_of_time(),
        zone=str(session.zone),
        known=Known(
            segments={p.stem for p in (folder / "segments").glob("*.toml")},
            scores={p.stem for p in (folder / "scores").glob("*.toml")},
            tags=known_tags(folder),
        ),
    )


def _lay_nodes(query: Query, journey: Journey) -> None:
    import pyarrow as pa

    names = [node.name for node in journey.nodes]
    longest = [node.longest for node in journey.nodes]
    table = {
        "number": pa.array(range(1, len(names) + 1), pa.int64()),
        "name": pa.array(names, pa.string()),
        "title": pa.array([node.title for node in journey.nodes], pa.string()),
        "needs": pa.array([names.index(n.needs) + 1 if n.needs else None for n in journey.nodes], pa.int64()),
        "stay_months": pa.array([p.months if p else None for p in longest], pa.int64()),
        "stay_micros": pa.array([p.seconds * MICROS if p else None for p in longest], pa.int64()),
    }
    query.register("node", pa.table(table))


def _subject(reference: str) -> tuple[str, int]:
    kind, colon, rest = reference.rpartition(":")
    kind = kind if colon else "lead"
    if kind not in ("lead", "account") or not (rest.isascii() and rest.isdigit()) or int(rest) >= 2**63:
        raise UserError(f"{reference!r} names no customer", hint="Write lead:8841 or account:12.")
    return kind, int(rest)


def _customer(
    journey: Journey,
    lead_id: int,
    name: str,
    told: dict[tuple[int, int], dict[str, object]],
    walked: dict[tuple[int, int], dict[str, object]],
    at: datetime,
) -> Customer:
    here = max((n for (lead, n), row in walked.items() if lead == lead_id and row["here"]), default=0)
    standings = []
    for place, node in enumerate(journey.nodes, start=1):
        row = walked.get((lead_id, place))
        said = told.get((lead_id, place), {})
        reached, left = (row["reached_at"], row["left_at"]) if row else (None, None)
        assert reached is None or isinstance(reached, datetime)
        assert left is None or isinstance(left, datetime)
        on_way = bool(row and row["on_way"])
        state = "skipped" if place < here else "not yet"
        if row:
            state = "here" if row["here"] else "passed" if on_way else "after the fact"
        dwell = _micros((left or at) - reached) if on_way and reached else None
        moment = said.get("told_at")
        standings.append(
            Standing(
                node=node.name,
                title=node.title,
                state=state,
                reached_at=reached,
                left_at=left,
                dwell_us=dwell,
                told_by=" ".join(node.reached.split()) + (f" + {node.after}" if node.after else ""),
                told_at=moment if isinstance(moment, datetime) else None,
                holds=bool(said.get("holds", True)),
            )
        )
    return Customer(
        journey=journey.name,
        lead_id=lead_id,
        name=name,
        node=journey.nodes[here - 1].name if here else None,
        since=standings[here - 1].reached_at if here else None,
        total_us=sum(s.dwell_us or 0 for s in standings),
        standings=tuple(standings),
    )


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
