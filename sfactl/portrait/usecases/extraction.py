"""Find intents in what customers said: ask an extractor about each text once, keep its answers, and tag by them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import ConfigError, NotFound, UserError
from sfactl.api.records import IntentLabel
from sfactl.config.tags import Intent, read_intents
from sfactl.engine.conditions.aggregates import folded_tag
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.portrait.usecases.asking import Asking

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.session import Session

KEYWORD = "keyword"
CHUNK, CHUNK_OFFLINE = 40, 20_000
"""Texts asked about at once, by an extractor from outside and by one that ships with sfactl."""
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What came of an extraction. ``asked`` texts were given to the extractor, ``kept`` were answered before.

    ``failed`` texts got no answer, for the reasons in ``problems``; a later run asks about them again.
    """

    extractor: str
    version: str
    utterances: int
    texts: int
    kept: int
    asked: int
    failed: int
    problems: Mapping[str, int]
    intents: Mapping[str, int]
    added: int
    removed: int
    tags: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    dry_run: bool = False
    commit: int | None = None


def extract(
    session: Session,
    *,
    extractor: str = KEYWORD,
    since: str | None = None,
    offline: bool = False,
    timeout_s: float = PATIENCE_S,
) -> Extracted:
    """Find intents in every utterance, or in those from ``since`` on, and give the tags that intents/ asks for.

    Each text is asked about once: answers are kept by extractor, version and the text's hash, batch by batch, and a
    repeat asks nothing. With ``offline``, and in a dry run, nobody is asked and only kept answers are used. What an
    extractor raises, or answers that nobody declared, costs that text or batch alone. Raises `ConfigError`, `NotFound`;
    `AuthError` where the service refuses our key.
    """
    labels = read_intents(session.folder)
    if not labels:
        raise ConfigError("there are no intents", hint="Write one to intents/NAME.toml, with a summary and patterns.")
    tagging = _tagging(labels)
    engine, builtin = _made(session, extractor)
    version = _version(engine, labels)
    from_ = session.moment(since) - _day(since) if since else None
    utterances, texts, kept, new = _unanswered(session, extractor, version, from_)
    asking = Asking(session, engine, extractor, version, list(labels), timeout_s)
    if not (offline or session.dry_run):
        asking.all(new, CHUNK_OFFLINE if builtin else CHUNK)
    found = _write(session, extractor, version, from_, tagging)
    return Extracted(
        extractor=extractor,
        version=version,
        utterances=utterances,
        texts=texts,
        kept=kept,
        asked=asking.asked,
        failed=texts - kept - asking.answered,
        problems=dict(asking.problems.most_common()) | _unasked(texts - kept - asking.asked, offline, session.dry_run),
        input_tokens=asking.tokens[0],
        output_tokens=asking.tokens[1],
        cost=asking.cost,
        dry_run=session.dry_run,
        **found,
    )


def _unanswered(
    session: Session, extractor: str, version: str, since: datetime | None
) -> tuple[int, int, int, pa.Table]:
    """How many utterances there are, texts, texts with a kept answer, and the texts without one."""
    with session.query() as query:
        _read_utterances(session, query, since)
        utterances, texts, kept = query.one(
            "select count(*), count(distinct text_hash), count(distinct text_hash) filter (where text_hash in"
            " (select text_hash from intent_answers where extractor = $extractor and version = $version))"
            " from utterances",
            {"extractor": extractor, "version": version},
        ) or (0, 0, 0)
        new = query.table(
            "select text_hash as utterance_id, min(text) as text, min(language) as language from utterances"
            " where text_hash not in (select text_hash from intent_answers"
            " where extractor = $extractor and version = $version) group by text_hash order by text_hash",
            {"extractor": extractor, "version": version},
        )
    return utterances, texts, kept, new


def _write(
    session: Session, extractor: str, version: str, since: datetime | None, tagging: Sequence[tuple[Any, ...]]
) -> dict[str, Any]:
    """Write the intents by the kept answers, and the tags by all intents; one commit. Answers what is counted."""
    now = session.now()
    with session.write("intents", "tags") as tx:
        query = tx.query
        _read_utterances(session, query, since)
        query.run(
            f"create temp table found as {query.statement('portrait', 'intent_rows')}",
            {"extractor": extractor, "version": version},
        )
        answered = "select event_id from utterances where text_hash in (select text_hash from intent_answers"
        answered += " where extractor = $extractor and version = $version)"
        params = {"extractor": extractor, "version": version}
        query.run(
            "create temp table fresh as select f.* from found as f left join intents as i on i.event_id = f.event_id"
            " and i.extractor = f.extractor and i.label = f.label where i.event_id is null"
            " or i.version is distinct from f.version or i.confidence is distinct from f.confidence"
        )
        # What an older version found goes once the newer one has read the same text.
        query.run(
            "create temp table stale as select i.event_id, i.extractor, i.label from intents as i"
            f" where i.extractor = $extractor and i.event_id in ({answered})"
            " and not exists (select 1 from found as f where f.event_id = i.event_id and f.label = i.label)",
            params,
        )
        query.run(
            "create temp table intents_now as select i.* from intents as i where i.extractor = $extractor"
            " and not exists (select 1 from stale as s where s.event_id = i.event_id and s.label = i.label)"
            " and not exists (select 1 from fresh as f where f.event_id = i.event_id and f.label = i.label)"
            " union all by name select * from fresh",
            params,
        )
        tags = _plan_tags(query, extractor, tagging, now)
        added, removed = query.one("select (select count(*) from fresh), (select count(*) from stale)") or (0, 0)
        counts = dict(query.rows("select label, count(*) from found group by label order by count(*) desc, label"))
        commit = None
        if added or removed or tags:
            tx.upsert("intents", "select * from fresh")
            tx.delete("intents", "select * from stale")
            tx.upsert("tags", "select * from tags_new")
            tx.delete("tags", "select entity, entity_id, tag, source, author from tags_gone")
            commit = tx.commit(extractor=extractor, added=added, removed=removed, tags=tags).seq
    return {"intents": counts, "added": added, "removed": removed, "tags": tags, "commit": commit}


def _plan_tags(query: Query, extractor: str, tagging: Sequence[tuple[Any, ...]], now: datetime) -> int:
    """Make ``tags_new`` and ``tags_gone`` of this extractor; answers how many differ."""
    columns = ("label", "tag", "least", "months", "seconds")
    types = ("varchar", "varchar", "double", "integer", "bigint")
    query.run(
        "create temp table tagging as select "
        + ", ".join(f"unnest(cast(${c} as {t}[])) as {c}" for c, t in zip(columns, types)),
        {c: [row[i] for row in tagging] for i, c in enumerate(columns)},
    )
    params = {"extractor": extractor, "now": now}
    query.run(f"create temp table tags_wanted as {query.statement('portrait', 'intent_tags')}", params)
    same = " and ".join(f"t.{c} = w.{c}" for c in ("entity", "entity_id", "tag", "source", "author"))
    differs = " or ".join(f"t.{c} is distinct from w.{c}" for c in ("at", "expires_at", "rule", "confidence"))
    query.run(
        f"create temp table tags_new as select w.* from tags_wanted as w left join tags as t on {same}"
        f" where t.tag is null or {differs}"
    )
    query.run(
        "create temp table tags_gone as select t.* from tags as t where t.source = 'extracted'"
        f" and t.author = $extractor and not exists (select 1 from tags_wanted as w where {same})",
        params,
    )
    row = query.one("select (select count(*) from tags_new) + (select count(*) from tags_gone)")
    return int(row[0]) if row else 0


def _read_utterances(session: Session, query: Query, since: datetime | None) -> None:
    sql = query.statement("portrait", "utterances")
    query.run(f"create temp table utterances as {sql}", {"now": session.now(), "since": since})


def _made(session: Session, name: str) -> tuple[Any, bool]:
    """The extractor ``name`` of extractors/, or the built-in one; and whether it ships with sfactl."""
    tables = session.settings.extractors
    if name in tables:
        table = tables[name]
        found = session.host.find("intent_extractor", table["use"])
        return session.host.make(
            "intent_extractor", table["use"], table, where=f"extractors/{name}.toml"
        ), found.builtin
    if name == KEYWORD:
        return session.host.make("intent_extractor", KEYWORD, {}, where=KEYWORD), True
    import difflib

    near = difflib.get_close_matches(name, [*tables, KEYWORD], 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Write extractors/{name}.toml, or take {KEYWORD}."
    raise NotFound(f"there is no extractor {name!r}", hint=hint)


def _version(engine: Any, labels: Mapping[str, Intent]) -> str:
    """What the answers depend on: as the extractor says, else the labels alone."""
    given = [
        IntentLabel(name=i.name, summary=i.summary, examples=i.examples, patterns=i.patterns) for i in labels.values()
    ]
    if hasattr(engine, "use_labels"):
        return str(engine.use_labels(given))
    return hashlib.sha256(repr(given).encode()).hexdigest()[:16]


def _tagging(labels: Mapping[str, Intent]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for intent in labels.values():
        if not intent.tag:
            continue
        months = seconds = None
        if intent.expires:
            try:
                period = parse_period(intent.expires)
            except PeriodError as err:
                raise ConfigError(f"intents/{intent.name}.toml: expires: {err}") from None
            months, seconds = period.months, period.seconds
        rows.append((intent.name, folded_tag(intent.tag), intent.min_confidence, months, seconds))
    return rows


def _day(since: str) -> Any:
    """A day given as the start means from its first moment on."""
    from datetime import timedelta

    if since.isdigit():
        raise UserError(f"--since {since}: write a date or a time, such as 2026-11-01")
    return timedelta(days=1) - timedelta(microseconds=1) if len(since) == 10 else timedelta(0)


def _unasked(count: int, offline: bool, dry_run: bool) -> dict[str, int]:
    why = (
        "not asked: offline"
        if offline
        else "not asked: dry run"
        if dry_run
        else "not asked: the extractor answers nothing"
    )
    return {why: count} if count else {}
