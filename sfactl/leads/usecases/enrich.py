"""Fill empty fields of leads with what a provider of outside data says, and keep all that it says as facts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sfactl.api.errors import AuthError, ConfigError, NotFound, PluginError, SfactlError, UserError
from sfactl.api.offers import EnricherOffer
from sfactl.engine.mailboxes import free_mail
from sfactl.leads.cleaning.expression import name
from sfactl.leads.enriching import DOMAINS, Enriched, answer_problem, normal_answer
from sfactl.leads.usecases.filling import write
from sfactl.leads.usecases.lookup import find_lead
from sfactl.leads.usecases.providers import OURS, Provider, check, provider_of

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.engine.duck import Query
    from sfactl.host.model import Found
    from sfactl.session import Session

__all__ = ["OURS", "check", "enrich_leads"]
BATCH = 5_000
"""Leads that a provider from outside is asked about at once; what it gets wrong costs these alone."""


def enrich_leads(
    session: Session,
    refs: Sequence[str] = (),
    *,
    provider: str,
    segment: str | None = None,
    every: bool = False,
    prefer: bool = False,
    distance_from: str | None = None,
) -> Enriched:
    """Ask ``provider``, a file in enrichers/, about ``refs``, the members of ``segment``, or every lead; one commit.

    Facts are kept in ``enrichments`` once. They fill empty fields, and renew what the same provider filled before;
    a value of another origin stays unless ``prefer``. ``distance_from`` ("25.03,121.56") overrules the file's. Raises
    `NotFound`, `ConfigError`, `DataError`; `PluginError` where no batch of leads was answered.
    """
    if sum((bool(refs), segment is not None, every)) != 1:
        raise UserError("say which leads: some of them, --segment NAME, or --all")
    asking = provider_of(session, provider, distance_from)
    answers, problems = [], []
    with session.query() as query:
        _choose(session, query, refs, segment)
        asked = _asked(session, query, asking.found)
        for answer, problem in _answers(session, asking, asked):
            answers += [] if answer is None else [answer]
            problems += [] if problem is None else [problem]
    if problems and not answers:
        raise PluginError(problems[0], hint="Nothing was written.")
    return write(session, asking, asked, answers, tuple(problems), prefer=prefer)


def _choose(session: Session, query: Query, refs: Sequence[str], segment: str | None) -> None:
    """Make the table ``chosen`` (lead_id)."""
    if refs:
        numbers = sorted({int(find_lead(query, ref)["lead_id"]) for ref in refs})
        query.run("create temp table chosen as select unnest($ids) as lead_id", {"ids": numbers})
    elif segment is not None:
        known = sorted(p.stem for p in (session.folder / "segments").glob("*.toml"))
        if segment not in known:
            near = difflib.get_close_matches(segment, known, 1)
            raise NotFound(f"there is no segment {segment!r}", hint=f"Did you mean {near[0]!r}?" if near else None)
        sql = "select lead_id from segment_members where segment = $segment"
        query.run(f"create temp table chosen as {sql}", {"segment": segment})
    else:
        query.run("create temp table chosen as select lead_id from leads")


def _asked(session: Session, query: Query, found: Found) -> pa.Table:
    """What the provider is given: the leads' numbers, and the fields that its offer asks for."""
    types = session.workspace.schemas["leads"].types
    assert isinstance(found.offer, EnricherOffer)
    fields = found.offer.fields
    for said in fields:
        if said not in types and said not in DOMAINS:
            raise ConfigError(f"{found.label}: asks for {said!r}, which is no field of leads")
    query.run(f"create temp table domains as {query.statement('leads', 'enrich_domains')}")
    domains = query.rows("select mail from domains where mail is not null union select site from domains")
    query.run(
        "create temp table free_mail as select unnest($names) as domain",
        {"names": free_mail(row[0] for row in domains if row[0]) or [""]},
    )
    columns = ", ".join(["id", *map(name, fields)])
    sql = query.statement("leads", "enrich_asked")
    return query.table(f"select {columns} from ({sql})", {"country": session.settings.workspace.country})


def _answers(session: Session, asking: Provider, asked: pa.Table) -> Iterator[tuple[pa.Table | None, str | None]]:
    """Each batch's answer, or what was wrong with it."""
    offer = asking.found.offer
    if session.dry_run and offer.hosts:
        yield None, f"{asking.name} was not asked about {asked.num_rows:,} leads: it is not on this machine"
        return
    size = max(asked.num_rows, 1) if asking.found.builtin else BATCH
    with session.progress("leads asked about", asked.num_rows) as progress:
        for start in range(0, asked.num_rows, size):
            batch = asked.slice(start, size)
            yield _answer(session, asking, batch, f"leads {start + 1:,} to {start + batch.num_rows:,}")
            progress.advance(batch.num_rows)


def _answer(session: Session, asking: Provider, batch: pa.Table, part: str) -> tuple[pa.Table | None, str | None]:
    try:
        answer = asking.enricher.enrich(batch)
        problem = answer_problem(answer, batch["id"].to_pylist())
    except (AuthError, ConfigError):
        raise  # no other batch will fare better, and only a person can mend it
    except SfactlError as err:
        if asking.found.builtin:
            raise
        problem = err.message
    except Exception as err:
        if asking.found.builtin:
            raise
        problem = session.host.redact(f"{type(err).__name__}: {err}")
    if problem is not None:
        return None, f"{asking.name} ({asking.found.label}), {part}: {problem}"
    return normal_answer(answer), None
