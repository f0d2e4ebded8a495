"""Read what a campaign is made of: its file, its templates and the fields they may use; and name its version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sfactl.api.errors import ConfigError, NotFound
from sfactl.api.records import Attachment
from sfactl.campaigns.assets import assets_of
from sfactl.campaigns.letterhead import SAYS, check_ways
from sfactl.campaigns.model import Campaign, Template
from sfactl.campaigns.templates import CompiledTemplate, Variable, compile_template
from sfactl.config.objects import read_object, said
from sfactl.engine.periods import PeriodError, parse_period
from sfactl.schemas import Schemas

CAMPAIGN_FIELDS = ("name", "summary")
WORKSPACE_FIELDS = ("name", "address")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFiles:
    """A campaign with its templates by name, and the version: a hash of all that is written in them.

    ``assets`` is what goes along with a template in a language. ``about`` has the fields of further objects that each
    message is about: then two messages to one address are never doubles of each other.
    """

    campaign: Campaign
    templates: Mapping[str, CompiledTemplate]
    version: str
    path: Path
    assets: Mapping[tuple[str, str], tuple[Attachment, ...]] = field(default_factory=dict)
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
    """Read ``campaigns/NAME.toml`` and the templates it uses. Raises `NotFound` or `ConfigError`."""
    path = folder / "campaigns" / f"{name}.toml"
    if not path.is_file():
        raise NotFound(f"there is no campaign {name!r}", hint=_known(folder))
    return assemble(folder, read_object(Campaign, path, inject={"name": name}), path, schemas)


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
    """Refuse templates that print a link which messages would not have. Raises `ConfigError`."""
    used = {name: frozenset(f for owner, f in t.used if owner == "message") for name, t in files.templates.items()}
    check_ways(files.campaign, used, collector, str(files.path))


def campaign_names(folder: Path) -> list[str]:
    """Names of all campaigns, sorted."""
    return sorted(p.stem for p in (folder / "campaigns").glob("*.toml"))


def known_fields(schemas: Schemas) -> Mapping[str, Collection[str]]:
    """The objects a template may use, and their fields."""
    return {
        "lead": list(schemas["leads"].types),
        "rep": list(schemas["reps"].types),
        "campaign": CAMPAIGN_FIELDS,
        "workspace": WORKSPACE_FIELDS,
        "message": SAYS,
    }


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
