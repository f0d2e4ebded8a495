"""Look at templates by themselves: which there are, who uses them, whether they are in order, how they read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from sfactl.api.errors import ConfigError, DataError, NotFound
from sfactl.campaigns.files import CampaignFiles, assemble
from sfactl.campaigns.lint import Written, remarks
from sfactl.campaigns.model import Campaign, Step, Template
from sfactl.campaigns.usecases.previewing import Preview, known_lead, one_person, shown_as, wording_of, write_for
from sfactl.campaigns.usecases.scene import letterhead_of
from sfactl.config.cases import FIELDS, read_cases
from sfactl.config.objects import read_object, read_toml
from sfactl.config.surveys import read_survey, survey_names
from sfactl.session import Session

MADE_UP_CASE = {name: name.replace("_", " ") for name in FIELDS} | {"id": 1042, "reopened": 0}
"""What stands for a case where a template is looked at by itself."""
_WAY_OUT = "https://go.example.com/u/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLine:
    """One template in a list."""

    template: str
    summary: str
    languages: str
    html: bool
    used_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFinding:
    """One thing to know about a template; ``rule`` names what was checked."""

    template: str
    severity: Literal["ok", "warning", "error"]
    message: str
    language: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Who sends a template, and what its file says about its messages."""

    by: Literal["campaign", "strategy", "survey", "cases"]
    name: str
    channel: str
    said: Mapping[str, Any]

    @property
    def marketing(self) -> bool:
        """Whether it is sent as marketing."""
        return self.by != "cases" and self.said.get("class") != "transactional"


def templates(session: Session) -> tuple[TemplateLine, ...]:
    """All templates, with what uses them."""
    uses = _uses(session)
    lines = []
    for name in template_names(session.folder):
        try:
            template = read_template(session.folder, name)
        except ConfigError as err:
            lines.append(TemplateLine(template=name, summary=err.message, languages="", html=False, used_by=""))
            continue
        users = dict.fromkeys(f"{u.by} {u.name}" for u in uses.get(name, ()))
        lines.append(
            TemplateLine(
                template=name,
                summary=template.summary,
                languages=", ".join(template.wordings),
                html=any(w.html for w in template.wordings.values()),
                used_by=", ".join(users),
            )
        )
    return tuple(lines)


def check_templates(session: Session, names: Sequence[str] = ()) -> tuple[TemplateFinding, ...]:
    """Write every wording of templates with made-up values, and say what would be held against it; by default all."""
    uses = _uses(session)
    found: list[TemplateFinding] = []
    prints_address = False
    for name in names or template_names(session.folder):
        try:
            template = read_template(session.folder, name)
            files = _files(session, template, None)
        except (ConfigError, NotFound) as err:
            found.append(TemplateFinding(template=name, severity="error", message=err.message))
            continue
        mine = list(_check(session, template, files, uses.get(name, ())))
        if not mine:
            text = f"in {', '.join(template.wordings)}" if name in uses else "in order, but nothing uses it"
            mine = [TemplateFinding(template=name, severity="ok", message=text)]
        found += mine
        prints_address = prints_address or ("workspace", "address") in files.templates[name].used
    if prints_address and not session.settings.workspace.address:
        said = "workspace.address is empty, so that messages name no postal address"
        found.append(TemplateFinding(template="sfactl.toml", severity="warning", message=said, rule="address"))
    return tuple(found)


def preview_template(session: Session, name: str, lead_id: int, *, language: str = "") -> Preview:
    """The template as a lead would get it, by default in the lead's language. Raises `NotFound`, `DataError`."""
    template = read_template(session.folder, name)
    use = next(iter(_uses(session).get(name, ())), None)
    files = _files(session, template, use)
    with session.query() as query:
        row = one_person(session, query, files, known_lead(query, lead_id))
    row |= {f"case__{name}": value for name, value in MADE_UP_CASE.items()}
    if language:
        row["wording_1"] = wording_of(files, name, language)
    [step] = (s for s in files.campaign.steps if s.template == name)
    key = f"preview.{name}.{lead_id}"
    return shown_as(write_for(row, files, step, letterhead_of(session), key=key), f"as {use.name}" if use else "")


def template_names(folder: Path) -> list[str]:
    """Names of all templates, sorted."""
    return sorted(p.stem for p in (folder / "templates").glob("*.toml"))


def read_template(folder: Path, name: str) -> Template:
    """The template ``name``. Raises `NotFound` or `ConfigError`."""
    path = folder / "templates" / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(template_names(folder)) or "none"
        raise NotFound(f"there is no template {name!r}", hint=f"There are: {known}")
    return read_object(Template, path, inject={"name": name})


def _uses(session: Session) -> dict[str, list[Use]]:
    """Who sends each template. A file that cannot be read is told by its own check."""
    found: dict[str, list[Use]] = {}
    for by, folder in (("campaign", "campaigns"), ("strategy", "strategies")):
        for path in sorted((session.folder / folder).glob("*.toml")):
            try:
                raw = read_toml(path)
            except ConfigError:
                continue
            said = raw if by == "campaign" else raw.get("touch", {})
            steps = raw.get("steps", [])
            for step in steps if isinstance(steps, list) and isinstance(said, dict) else ():
                if isinstance(step, dict) and isinstance(step.get("template"), str):
                    use = Use(by=by, name=path.stem, channel=str(step.get("channel") or "email"), said=said)  # type: ignore[arg-type]
                    found.setdefault(step["template"], []).append(use)
    for name in survey_names(session.folder):
        try:
            survey = read_survey(session.folder, name)
        except ConfigError:
            continue
        use = Use(by="survey", name=name, channel=survey.channel or "email", said=survey.campaign)
        for template in filter(None, dict.fromkeys((survey.template, survey.reminder))):
            found.setdefault(template, []).append(use)
    for template, use in _notices(session):
        found.setdefault(template, []).append(use)
    return found


def _notices(session: Session) -> Iterator[tuple[str, Use]]:
    """The templates by which ``cases.toml`` tells customers of their cases."""
    try:
        rules = read_cases(session.folder)
    except ConfigError:
        return
    said = {"from": rules.notices.sent_as, "reply_to": rules.notices.reply_to} if rules.notices else {}
    for status in rules.told:
        yield status.notice, Use(by="cases", name=status.name, channel="email", said=said)


def _files(session: Session, template: Template, use: Use | None) -> CampaignFiles:
    """A campaign of one step that sends the template as ``use`` does. Raises `ConfigError`."""
    said = use.said if use else {}
    stand_in = "" if session.settings.collect.url else _WAY_OUT
    campaign = Campaign(
        name=use.name if use else template.name,
        steps=(Step(name="preview", template=template.name, channel=use.channel if use else ""),),
        where="true",
        sender="preview",
        sent_as=str(said.get("from") or "nobody@example.com"),
        message_class="marketing" if use and use.marketing else "transactional",
        summary=str(said.get("summary") or ""),
        reply_to=str(said.get("reply_to") or ""),
        unsubscribe=str(said.get("unsubscribe") or stand_in),
        topic=str(said.get("topic") or ""),
    )
    path = session.folder / "templates" / f"{template.name}.toml"
    return assemble(session.folder, campaign, path, session.workspace.schemas, about={"case": FIELDS})


def _check(
    session: Session, template: Template, files: CampaignFiles, uses: Sequence[Use]
) -> Iterator[TemplateFinding]:
    compiled = files.templates[template.name]
    values = _made_up(session)
    for language, wording in compiled.wordings.items():
        try:
            rendered = wording.render(values)
        except DataError as err:
            problem = err.message.partition(": ")[2]
            yield TemplateFinding(
                template=template.name, severity="error", message=problem, language=language, rule="write"
            )
            continue
        written = Written(
            template=template,
            language=language,
            compiled=compiled,
            rendered=rendered,
            channels=tuple({u.channel for u in uses}) or ("email",),
            marketing=any(u.marketing and u.channel == "email" for u in uses),
            ways=tuple(values["message"].values()),
            attached=sum(len(a.content) for a in files.assets[template.name, language]),
        )
        for remark in remarks(written):
            yield TemplateFinding(
                template=template.name,
                severity=remark.severity,
                message=remark.message,
                language=language,
                rule=remark.rule,
            )


def _made_up(session: Session) -> dict[str, dict[str, Any]]:
    """Values for every field that a template may print: a text is the field's name, a number is one."""
    schemas = session.workspace.schemas
    values: dict[str, dict[str, Any]] = {
        owner: {field: _stand_in(field, kind) for field, kind in schemas[dataset].types.items()}
        for owner, dataset in (("lead", "leads"), ("rep", "reps"))
    }
    values["case"] = MADE_UP_CASE
    values["campaign"] = {"name": "campaign", "summary": "Campaign"}
    values["workspace"] = {"name": "Company", "address": "Address"}
    values["message"] = {
        "unsubscribe": _WAY_OUT,
        "preferences": _WAY_OUT.replace("/u/", "/p/"),
        "confirm": _WAY_OUT.replace("/u/", "/d/"),
        "survey": _WAY_OUT.replace("/u/", "/s/"),
    }
    return values


def _stand_in(field: str, kind: str) -> Any:
    if kind.startswith("decimal"):
        return Decimal(1)
    made: dict[str, Any] = {"bigint": 1, "integer": 1, "double": 1.0, "boolean": True}
    made |= {"date": date(2026, 1, 1), "timestamp": datetime(2026, 1, 1)}
    return made.get(kind, field.replace("_", " "))
