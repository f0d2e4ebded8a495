"""Which files a workspace is made of, and how each is checked: the list behind ``config check`` and ``doctor``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import SfactlError
from sfactl.cli.words import count

if TYPE_CHECKING:
    from sfactl.cli.app import App
    from sfactl.config.problems import Problem
    from sfactl.session import Session

OBJECTS: Mapping[str, str] = {
    "calendars": "sfactl.config.calendars:CalendarFile",
    "campaigns": "sfactl.campaigns.model:Campaign",
    "forms": "sfactl.collect.forms:Form",
    "funnels": "sfactl.insight.layout:FunnelLayout",
    "intents": "sfactl.config.tags:Intent",
    "filters": "sfactl.opportunities.model:FilterRules",
    "journeys": "sfactl.processes.journey:Journey",
    "layers": "sfactl.segments.layers:Layer",
    "mappings": "sfactl.leads.mapping:LeadMapping",
    "prices": "sfactl.quotes.model:PriceBook",
    "processes": "sfactl.processes.model:Process",
    "scores": "sfactl.scoring.model:Score",
    "segments": "sfactl.segments.model:Segment",
    "surveys": "sfactl.config.surveys:Survey",
    "strategies": "sfactl.strategies.model:Strategy",
    "tags": "sfactl.config.tags:TagRule",
    "stages": "sfactl.config.stages:Pipeline",
    "templates": "sfactl.campaigns.model:Template",
}
"""Folder → the dataclass that its files are read into, as ``module:Class``."""

SINGLE: Mapping[str, str] = {
    "approvals.toml": "sfactl.config.approvals:Approvals",
    "assignment.toml": "sfactl.reps.rules:Rules",
    "cases.toml": "sfactl.config.cases:CaseRules",
    "identity.toml": "sfactl.identity.config:IdentityConfig",
    "next_actions.toml": "sfactl.portrait.actions:ActionFile",
    "pool.toml": "sfactl.config.pool:PoolRules",
    "qualification.toml": "sfactl.leads.qualification:Rules",
    "tags.toml": "sfactl.config.tags:TagFile",
}
"""The same for files that stand alone."""

OFFERS: Mapping[str, str] = {
    "sources": "lead_source",
    "senders": "touchpoint_sender",
    "mailboxes": "mailbox",
    "erp": "erp_connector",
    "extractors": "intent_extractor",
    "enrichers": "enricher",
}
"""Folder of named tables → the kind of offer that each uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesReport:
    """How many files were checked, and every mistake found."""

    files: int
    problems: tuple[Problem, ...]

    def lines(self) -> Iterator[str]:
        """The report for people."""
        for problem in self.problems:
            yield problem.message
            if problem.hint:
                yield f"  {problem.hint}"
        found = count(len(self.problems), "problem") if self.problems else "all in order"
        yield f"{count(self.files, 'file')} checked, {found}."


def check_files(app: App) -> FilesReport:
    """Check ``sfactl.toml``, the layers over it, and every object file of the workspace.

    First how each file is written; then, if that is right, what only the parts of sfactl can tell: conditions against
    the schemas, settings against the offers, references between files.
    """
    from sfactl.config.problems import table_problems, workspace_problems

    folder = app.folder()
    problems = [*workspace_problems(folder / "sfactl.toml"), *table_problems(folder)]
    if not problems:
        problems += _layer_problems(app)
    for path, target in _objects(folder):
        problems += _object_problems(path, target)
    if not problems:
        problems += _deep_problems(app)
    return FilesReport(files=sum(1 for _ in _files(folder)), problems=tuple(dict.fromkeys(problems)))


def _objects(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every object file and the dataclass it is read into."""
    for name, target in OBJECTS.items():
        yield from ((path, target) for path in sorted((folder / name).glob("*.toml")))
    yield from ((folder / name, target) for name, target in SINGLE.items() if (folder / name).is_file())


def _files(folder: Path) -> Iterator[Path]:
    yield folder / "sfactl.toml"
    yield from (path for path, _ in _objects(folder))
    for name in OFFERS:
        yield from (folder / name).glob("*.toml")


def _layer_problems(app: App) -> Iterator[Problem]:
    """Mistakes that only show once all layers are laid over one another, custom fields among them."""
    from sfactl.config.layers import load_settings
    from sfactl.config.problems import Problem
    from sfactl.schemas.dataset import Schemas

    try:
        settings = load_settings(app.folder(), env=app.env, environ=os.environ, no_plugins=app.no_plugins)
        schemas = Schemas(settings.fields, zone=settings.workspace.time_zone)
        for name in settings.fields:
            _ = schemas[name]
    except SfactlError as err:
        yield Problem(message=err.message, hint=err.hint or "")


def _object_problems(path: Path, target: str) -> Iterator[Problem]:
    from sfactl.config.problems import object_problems

    module, _, name = target.partition(":")
    cls = getattr(import_module(module), name)
    named = any(f.name == "name" for f in fields(cls)) and path.name not in SINGLE
    yield from object_problems(cls, path, inject={"name": path.stem} if named else None)


def _deep_problems(app: App) -> Iterator[Problem]:
    from sfactl.config.problems import Problem

    if not (app.folder() / ".sfactl").is_dir():
        return  # a fresh clone: the parts need the data store to look further
    session = app.session(dry_run=True)
    for part in (_offer_problems, _condition_problems, _campaign_problems, _case_problems, _run_problems):
        try:
            yield from part(session)
        except SfactlError as err:
            yield Problem(message=err.message, hint=err.hint or "")


def rule_problems(session: Session) -> frozenset[str]:
    """Every mistake in the rules that the session reads, each named by its file in the workspace."""
    from sfactl.strategies import usecases as strategies

    found = [p.message for path, target in _objects(session.folder) for p in _object_problems(path, target)]
    if not found:
        for part in (_condition_problems, _campaign_problems):
            try:
                found += [problem.message for problem in part(session)]
            except SfactlError as err:
                found.append(err.message)
        found += [f.message for f in strategies.check(session) if f.severity == "error"]
    return frozenset(message.replace(f"{session.folder}/", "") for message in found)


def _offer_problems(session: Session) -> Iterator[Problem]:
    """Tables that name no installed offer, or whose settings are not the offer's."""
    from sfactl.config.problems import Problem
    from sfactl.config.secrets import check_secrets
    from sfactl.feedback.usecases import fetching
    from sfactl.host.target import settings_of
    from sfactl.leads.usecases import enrich, sources

    ours = {"sources": sources.OURS, "enrichers": enrich.OURS, "mailboxes": fetching.OURS}
    for folder, kind in OFFERS.items():
        tables: Mapping[str, Mapping[str, Any]] = getattr(session.settings, folder)
        for name in tables:
            where = f"{folder}/{name}.toml"
            try:
                found = session.host.find(kind, tables[name]["use"])
                check_secrets(tables[name], where=where, names=frozenset(found.offer.secrets))
                own = {k: v for k, v in tables[name].items() if k not in ours.get(folder, ())}
                settings_of(found, own, where)
                if folder == "sources":
                    sources.check_own(tables[name], where)
            except SfactlError as err:
                message = err.message if err.message.startswith(where) else f"{where}: {err.message}"
                yield Problem(message=message, hint=err.hint or "")


def _condition_problems(session: Session) -> Iterator[Problem]:
    from sfactl.config.problems import Problem
    from sfactl.identity.usecases import rules as survivorship
    from sfactl.leads import qualification_usecases as qualification
    from sfactl.leads.usecases.enrich import check as enrichers
    from sfactl.opportunities.usecases import pipeline
    from sfactl.portrait.usecases import deriving, next_actions
    from sfactl.quotes.usecases import check_prices
    from sfactl.reps import usecases as reps
    from sfactl.scoring import usecases as scoring
    from sfactl.segments import usecases as segments
    from sfactl.segments.usecases import layering

    found = (*segments.check(session).problems, *scoring.check(session).problems, *check_prices(session).problems)
    found += (*qualification.check(session), *pipeline.check(session), *reps.check(session).problems)
    found += (*reps.check_pool(session), *deriving.check(session), *next_actions.check(session))
    found += (*survivorship.check(session), *enrichers(session), *layering.check(session))
    yield from (Problem(message=message) for message in found)


def _case_problems(session: Session) -> Iterator[Problem]:
    from sfactl.cases.usecases import check
    from sfactl.config.problems import Problem

    yield from (Problem(message=message) for message in check(session))


def _run_problems(session: Session) -> Iterator[Problem]:
    from sfactl.config.problems import Problem
    from sfactl.runs.usecases.ground import check

    yield from (Problem(message=message) for message in check(session))


def _campaign_problems(session: Session) -> Iterator[Problem]:
    from sfactl.campaigns import usecases as campaigns
    from sfactl.config.problems import Problem

    for found in campaigns.check(session):
        if found.severity == "error":
            folder = "campaigns" if (session.folder / "campaigns" / f"{found.campaign}.toml").is_file() else "surveys"
            place = f"{folder}/{found.campaign}.toml"
            named = found.message if ".toml" in found.message else f"{place}: {found.message}"
            yield Problem(message=named.replace(f"{session.folder}/", ""))
