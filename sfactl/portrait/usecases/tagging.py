"""Give and take tags by hand, and list who bears which."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import NotFound, PolicyError, UserError
from sfactl.config.tags import known_tags, read_rules, read_tag_file
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.portrait import tags
from sfactl.portrait.model import TagChange
from sfactl.portrait.usecases.bearers import find, make_chosen

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session
    from sfactl.workspace import Transaction

WANTED = ("entity", "entity_id", "tag", "source", "author", "value", "at", "expires_at", "confidence", "note")


def set_tags(
    session: Session,
    refs: Sequence[str],
    names: Sequence[str],
    *,
    segment: str | None = None,
    where: str | None = None,
    source: str = "manual",
    expires: str | None = None,
    note: str | None = None,
) -> TagChange:
    """Give the tags ``names`` (``tag`` or ``tag=value``) to ``refs``, or to a segment's or a condition's leads.

    The author is who acts. A repeat changes nothing. Raises `UserError` for a tag that the workspace's vocabulary does
    not hold, and for an expiry that has passed.
    """
    wanted = _named(session, names)
    now = session.now()
    ends, origin = tags.expiry(expires, now), tags.source_of(source)
    with session.write("tags", reason=note) as tx:
        _make_bearers(session, tx.query, refs, segment, where)
        tx.query.run("create temp table names as select unnest($tags) as tag, unnest($values) as value", wanted)
        tx.query.run(
            "create temp table wanted as select b.entity, b.entity_id, n.tag, $source as source, $author as author,"
            ' n.value, cast($now as timestamp) as "at", cast($ends as timestamp) as expires_at,'
            " cast(null as double) as confidence, cast($note as varchar) as note"
            " from bearers as b cross join names as n",
            {"source": origin, "author": session.actor, "now": now, "ends": ends, "note": note},
        )
        new = _new_names(tx.query, wanted["tags"])
        changed, rows = write_wanted(session, tx)
        commit = tx.commit(tags=wanted["tags"], changed=changed).seq if changed else None
        (bearers,) = tx.query.one("select count(*) from bearers") or (0,)
    return TagChange(
        tags=tuple(names_shown(wanted)),
        bearers=bearers,
        changed=changed,
        unchanged=rows - changed,
        new=new,
        dry_run=session.dry_run,
        commit=commit,
    )


def write_wanted(session: Session, tx: Transaction) -> tuple[int, int]:
    """Write what differs in the temporary table ``wanted`` (columns `WANTED`); answers (changed, all)."""
    tx.query.run(
        f"create temp table changes as {tx.query.statement('portrait', 'tag_changes')}", {"now": session.now()}
    )
    changed, rows = tx.query.one("select (select count(*) from changes), (select count(*) from wanted)") or (0, 0)
    if changed:
        tx.upsert("tags", "select * exclude (known) from changes")
    return changed, rows


def remove_tags(
    session: Session,
    refs: Sequence[str],
    names: Sequence[str],
    *,
    segment: str | None = None,
    where: str | None = None,
    source: str | None = None,
) -> TagChange:
    """Take tags given by hand away, whoever gave them; ``source`` None means every source of people.

    A tag that only a rule gives cannot be taken away by hand: `PolicyError` names the rule.
    """
    wanted = sorted({tags.tag_of(name)[0] for name in names})
    origin = tags.source_of(source) if source else None
    with session.write("tags") as tx:
        _make_bearers(session, tx.query, refs, segment, where)
        tx.query.run(
            "create temp table mine as select t.* from tags as t join bearers as b on b.entity = t.entity"
            " and b.entity_id = t.entity_id where list_contains($tags, t.tag)",
            {"tags": wanted},
        )
        _check_there(tx.query, wanted, refs)
        taken = tx.query.rows(
            "select count(*) from mine where source not in ('derived', 'extracted')"
            " and (cast($source as varchar) is null or source = $source)",
            {"source": origin},
        )[0][0]
        (bearers,) = tx.query.one("select count(*) from bearers") or (0,)
        commit = None
        if taken:
            tx.delete(
                "tags",
                "select entity, entity_id, tag, source, author from mine where source not in ('derived', 'extracted')"
                " and (cast($source as varchar) is null or source = $source)",
                {"source": origin},
            )
            commit = tx.commit(tags=wanted, removed=taken).seq
    return TagChange(
        tags=tuple(wanted), bearers=bearers, changed=taken, unchanged=0, dry_run=session.dry_run, commit=commit
    )


def list_tags(session: Session, *, tag: str | None = None, source: str | None = None) -> pa.Table:
    """Every tag with how many bear it at ``--as-of``, by source. Raises `NotFound` for a tag that nobody ever bore."""
    name = None if tag is None else folded_tag(tag)
    with session.query() as query:
        found = query.table(
            query.statement("portrait", "tag_counts"), {"now": session.as_of_time(), "tag": name, "source": source}
        )
        if name is not None and not found.num_rows:
            raise no_tag(query, name)
        return found


def bearers_of(session: Session, tag: str, *, source: str | None = None) -> pa.Table:
    """Who bears ``tag`` at ``--as-of``. Raises `NotFound` for a tag that nobody ever bore."""
    name = folded_tag(tag)
    with session.query() as query:
        if not query.one("select 1 from tags where tag = $tag limit 1", {"tag": name}):
            raise no_tag(query, name)
        params = {"now": session.as_of_time(), "tag": name, "source": source}
        return query.table(query.statement("portrait", "tag_bearers"), params)


def tags_of(session: Session, ref: str, *, expired: bool = False) -> pa.Table:
    """The tags of one lead, contact or account at ``--as-of``; with ``expired`` also those that ended."""
    with session.query() as query:
        ((kind, number),) = find(query, [ref])
        sql = query.statement("portrait", "tag_rows")
        params = {"now": session.as_of_time(), "entity": kind, "id": number}
        if not expired:
            sql = f"select * exclude (counts) from ({sql}) where counts order by tag, source, author"
        return query.table(sql, params)


def conflicts(session: Session) -> pa.Table:
    """Tags that people gave and what speaks against them, at ``--as-of``."""
    rules = [
        (rule.entity, folded_tag(rule.tag or name), name) for name, (rule, _) in read_rules(session.folder).items()
    ]
    groups = [[folded_tag(tag) for tag in group] for group in read_tag_file(session.folder).conflicts]
    pairs = [(one, other) for group in groups for one in group for other in group if one != other]
    with session.query() as query:
        make_pairs(query, "rules", ("entity", "tag", "rule"), rules)
        make_pairs(query, "exclusions", ("tag", "other"), pairs)
        return query.table(query.statement("portrait", "tag_conflicts"), {"now": session.as_of_time()})


def make_pairs(query: Query, name: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Make a small temporary table of texts."""
    lists = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
    unnested = ", ".join(f"unnest(cast(${column} as varchar[])) as {column}" for column in columns)
    query.run(f"create or replace temp table {name} as select {unnested}", lists)


def names_shown(wanted: dict[str, list[str | None]]) -> list[str]:
    """Tags with their values as people write them."""
    return [f"{tag}={value}" if value else str(tag) for tag, value in zip(wanted["tags"], wanted["values"])]


def _named(session: Session, names: Sequence[str]) -> dict[str, list[str | None]]:
    parsed = dict(tags.tag_of(name) for name in names)
    if not parsed:
        raise UserError("name at least one tag")
    if len(parsed) < len(names):
        raise UserError("the same tag is named twice")
    tags.check_known(parsed, known_tags(session.folder))
    return {"tags": list(parsed), "values": list(parsed.values())}


def _make_bearers(session: Session, query: Query, refs: Sequence[str], segment: str | None, where: str | None) -> None:
    if refs:
        found = find(query, refs)
        params = {"kinds": [kind for kind, _ in found], "ids": [number for _, number in found]}
        query.run("create temp table bearers as select unnest($kinds) as entity, unnest($ids) as entity_id", params)
        return
    make_chosen(session, query, segment=segment, where=where)
    query.run("create temp table bearers as select distinct 'lead' as entity, lead_id as entity_id from chosen")


def _new_names(query: Query, names: Sequence[str | None]) -> tuple[str, ...]:
    known = [row[0] for row in query.rows("select distinct tag from tags order by tag")]
    told = []
    for name in names:
        if name is not None and name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0.75)
            told.append(f"{name} (there is {near[0]!r})" if near else name)
    return tuple(told)


def _check_there(query: Query, wanted: Sequence[str], refs: Sequence[str]) -> None:
    there = dict(query.rows("select tag, bool_or(source not in ('derived', 'extracted')) from mine group by tag"))
    for name in wanted if refs else ():
        if name not in there:
            raise no_tag(query, name, of=refs[0])
        if not there[name]:
            rule = (query.one("select min(author) from mine where tag = $tag", {"tag": name}) or ("",))[0]
            raise PolicyError(
                f"{name!r} is given by {rule!r}, not by hand, and would come back",
                hint="Change the rule, or say the contrary with a tag of your own.",
            )


def no_tag(query: Query, name: str, *, of: str | None = None) -> NotFound:
    """The error that there is no such tag, with the nearest one that there is."""
    known = [row[0] for row in query.rows("select distinct tag from tags order by tag")]
    near = difflib.get_close_matches(name, known, 1)
    whose = f"{of} bears no tag {name!r}" if of else f"nobody bears a tag {name!r}"
    return NotFound(whose, hint=f"Did you mean {near[0]!r}?" if near else "See: sfactl tag list")
