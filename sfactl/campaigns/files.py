"""Read what a campaign is made of: its file, its templates and the fields they may use; and name its version."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from sfactl.api.errors import ConfigError, NotFound
from sfactl.api.records import Attachment
from sfactl.campaigns.assets import assets_of
from sfactl.campaigns.letterhead import SAYS, check_ways
from sfactl.campaigns.model import Campaign, Template
from sfactl.campaigns.surveys import survey_campaign
from sfactl.campaigns.templates import CompiledTemplate, Variable, compile_template
from sfactl.config.objects import read_object, said
from sfactl.config.surveys import Survey, survey_names, survey_path
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.schemas import Schemas

CAMPAIGN_FIELDS = ("name", "summary")
WORKSPACE_FIELDS = ("name", "address")
BY_VOICE = ("phone", "visit")
"""Channels on which a person asks, and brings the answers in from a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFiles:
    """A campaign with its templates by name, and the version: a hash of all that is written in them.

    ``assets`` is what goes along with a template in a language. ``about`` has the fields of further objects that each
    message is about: then two messages to one address are never doubles of each other. ``survey`` is
    what it asks, where it is one.
    """

    campaign: Campaign
    templates: Mapping[str, CompiledTemplate]
    version: str
    path: Path
    assets: Mapping[tuple[str, str], tuple[Attachment, ...]] = field(default_factory=dict)
    survey: Survey | None = None
    about: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Every field of a lead or rep that a template uses, sorted."""
        used = {v for t in self.templates.values() for v in t.used}
        return tuple(sorted(v for v in used if v[0] in ("lead", "rep")))

    @property
    def particulars(self) -> tuple[Variable, ...]:
        """Every field of what messages are about that a template uses, sorted."""
        used = {v for t in self.templates.values() for v in t.used}
        return tuple(sorted(v for v in used if v[0] in self.about))


def read_campaign(folder: Path, name: str, schemas: Schemas) -> CampaignFiles:
    """Read ``campaigns/NAME.toml``, or ``surveys/NAME.toml``, and the templates it uses.

    Raises `NotFound` or `ConfigError`.
    """
    path, survey = folder / "campaigns" / f"{name}.toml", survey_path(folder, name)
    if path.is_file() and survey.is_file():
        raise ConfigError(f"{survey}: there is a campaign of that name too ({path}); messages are told apart by it")
    if path.is_file():
        own = read_object(Campaign, path, inject={"name": name})
        _check_beside(folder, own, path, "occasion")
        return assemble(folder, own, path, schemas)
    if not survey.is_file():
        raise NotFound(f"there is no campaign {name!r}", hint=_known(folder))
    asked, campaign = survey_campaign(folder, name)
    _check_beside(folder, campaign, survey, "when")
    files = assemble(folder, campaign, survey, schemas)
    # What is asked on the page is approved together with the message that leads there.
    text = json.dumps([files.version, said(asked)], sort_keys=True, default=str, ensure_ascii=False)
    return replace(files, survey=asked, version=hashlib.sha256(text.encode()).hexdigest())


def assemble(
    folder: Path,
    campaign: Campaign,
    path: Path,
    schemas: Schemas,
    *,
    about: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> CampaignFiles:
    """``campaign``, which ``path`` describes, with the templates it uses. Raises `ConfigError`."""
    _check_periods(campaign, path)
    raw: dict[str, object] = {"campaign": said(campaign)}
    templates = {}
    assets: dict[tuple[str, str], tuple[Attachment, ...]] = {}
    for template_name in sorted({s.template for s in campaign.steps if s.template}):
        template_path = folder / "templates" / f"{template_name}.toml"
        if not template_path.is_file():
            raise ConfigError(f"{path}: steps: there is no template {template_name!r} ({template_path})")
        template = read_object(Template, template_path, inject={"name": template_name})
        raw[f"template {template_name}"] = said(template)
        for language, found in assets_of(template, folder, where=str(template_path)).items():
            assets[template_name, language] = found
            raw |= {f"asset {a.name}": a.sha256 for a in found}
        compiled = compile_template(template, {**known_fields(schemas), **about}, where=str(template_path))
        templates[template_name] = compiled
    text = json.dumps(raw, sort_keys=True, default=str, ensure_ascii=False)
    version = hashlib.sha256(text.encode()).hexdigest()
    return CampaignFiles(campaign=campaign, templates=templates, version=version, path=path, assets=assets, about=about)


def check_links(files: CampaignFiles, collector: str) -> None:
    """Refuse templates that print a link which messages would not have, and a survey that cannot be answered.

    Raises `ConfigError`.
    """
    used = {name: frozenset(f for owner, f in t.used if owner == "message") for name, t in files.templates.items()}
    check_ways(files.campaign, used, collector, str(files.path))
    if files.survey is None:
        asking = next((name for name, names in sorted(used.items()) if "survey" in names), None)
        if asking is not None:
            raise ConfigError(f"{files.path}: template {asking!r} prints message.survey, which only a survey has")
    elif files.survey.channel not in BY_VOICE:
        for name, template in sorted(files.templates.items()):
            silent = [tongue for tongue, w in template.wordings.items() if ("message", "survey") not in w.used]
            if silent:
                raise ConfigError(f"{files.path}: template {name!r} ({silent[0]}) does not print message.survey")


def campaign_names(folder: Path) -> list[str]:
    """Names of all campaigns, those that surveys make among them, sorted."""
    return sorted({p.stem for p in (folder / "campaigns").glob("*.toml")} | set(survey_names(folder)))


def known_fields(schemas: Schemas) -> Mapping[str, Collection[str]]:
    """The objects a template may use, and their fields."""
    return {
        "lead": list(schemas["leads"].types),
        "rep": list(schemas["reps"].types),
        "campaign": CAMPAIGN_FIELDS,
        "workspace": WORKSPACE_FIELDS,
        "message": SAYS,
    }


def _check_beside(folder: Path, campaign: Campaign, path: Path, table: str) -> None:
    """Refuse campaigns and strategies beside which it rests, and which there are not."""
    known = [*campaign_names(folder), *(p.stem for p in (folder / "strategies").glob("*.toml"))]
    for name in campaign.occasion.beside if campaign.occasion else ():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}"
            raise ConfigError(f"{path}: {table}.beside: there is no campaign or strategy {name!r}", hint=hint)


def _check_periods(campaign: Campaign, path: Path) -> None:
    texts = {f"steps.{s.name}.after.wait": s.after.wait for s in campaign.steps if s.after}
    texts |= {f"steps.{s.name}.task.due": s.task.due for s in campaign.steps if s.task}
    if campaign.caps:
        texts["caps.within"] = campaign.caps.within
    for key, text in texts.items():
        try:
            _ = parse_period(text).fixed_days
        except PeriodError as err:
            raise ConfigError(f"{path}: {key}: {err.message}") from None


def _known(folder: Path) -> str:
    names = campaign_names(folder)
    return f"There are: {', '.join(names)}" if names else "Campaigns are files campaigns/NAME.toml in the workspace."
