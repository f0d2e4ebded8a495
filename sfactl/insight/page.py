"""Lay an overview out as one HTML file: no script, no network, readable on paper, on a phone and by a screen reader.

Every figure links to the command that gives it again. Text from the data is escaped; templates run in a sandbox.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from sfactl.api.errors import UserError
from sfactl.engine.money import format_money, minor_digits
from sfactl.insight import chart
from sfactl.insight.attribution import MODELS
from sfactl.insight.model import Age, Cohort, Overview, PipelineStage
from sfactl.insight.sheet import duration

TEMPLATES = Path(__file__).parent / "templates"

OUTCOME = "opportunity"
"""What cohorts and channels are measured by on the page: deals won are too few in a month to be read."""

ASLEEP_DAYS = 30
"""After how many days without a touch a lead sleeps, on the page."""


def render(overview: Overview) -> str:
    """The page as HTML; the same overview gives the same text."""
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "percent": percent,
        "money": partial(money, language=overview.language),
        "short_money": partial(short_money, language=overview.language),
        "day": day,
        "word": shlex.quote,
        "duration": duration,
    }
    return environment.get_template("report.html").render(
        o=overview,
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        commands=commands(overview.cohort),
        months=chart.columns(overview.months),
        whiskers=chart.whiskers,
        ceiling=chart.ceiling,
        triangle=chart.triangle(overview.cohorts.table.to_pylist(), "month"),
        credits=overview.attribution.table.to_pylist(),
        models=[name for name in overview.attribution.table.column_names if name in MODELS],
        speeds=overview.speed.table.to_pylist(),
        sleepers=overview.sleeping.table.to_pylist(),
        outcome=OUTCOME,
        asleep_days=ASLEEP_DAYS,
        open_deals=by_currency([s for s in overview.pipeline.stages if s.category == "open"]),
        closed_deals=[s for s in overview.pipeline.stages if s.category != "open"],
        debts=debts(overview.ageing.ages),
    )


def write(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` whole or not at all. Raises `UserError` if its folder is not there."""
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def commands(cohort: Cohort) -> dict[str, str]:
    """The command line behind each part of the page, on the commit that the page was read from."""
    period = []
    if cohort.since:
        period += ["--from", cohort.since.isoformat()]
    if cohort.until:
        period += ["--until", cohort.until.isoformat()]
    as_of = ["--as-of", str(cohort.seq)]
    lines = {
        "funnel": ["report", "funnel", *period, *as_of],
        "months": ["report", "funnel", "--by", "month", *period, *as_of],
        "money": ["report", "money", *period, *as_of],
        "source": ["report", "source", *period, *as_of],
        "cohort": ["report", "cohort", "--to", OUTCOME, *period, *as_of],
        "attribution": ["report", "attribution", "--to", OUTCOME, *period, *as_of],
        "speed": ["report", "speed", *period, *as_of],
        "sleeping": ["report", "sleeping", "--days", str(ASLEEP_DAYS), *period, *as_of],
        "score": ["report", "score", *period, *as_of],
        "campaign": ["report", "campaign", *period, *as_of],
        "pipeline": ["report", "pipeline", *as_of],
        "ageing": ["report", "ageing", *as_of],
    }
    return {name: shlex.join(["sfactl", *words]) for name, words in lines.items()}


def by_currency(stages: list[PipelineStage]) -> dict[tuple[str, str], list[PipelineStage]]:
    """Deals that may be added up: those of one pipeline and currency."""
    groups: dict[tuple[str, str], list[PipelineStage]] = {}
    for stage in stages:
        groups.setdefault((stage.pipeline, stage.currency), []).append(stage)
    return groups


def debts(ages: tuple[Age, ...]) -> dict[str, list[Age]]:
    """What is owed by currency, in the order of age."""
    groups: dict[str, list[Age]] = {}
    for age in ages:
        groups.setdefault(age.currency, []).append(age)
    return groups


def count(value: float) -> str:
    """A whole number with its thousands parted."""
    return f"{value:,.0f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A rate as people read it; nothing where there is none."""
    return "–" if value is None else f"{value * 100:.{digits}f}\u202f%"


def money(amount: Decimal, currency: str, language: str = "en") -> str:
    """An amount in full; without a currency just the number."""
    return format_money(Decimal(amount), currency, language) if currency else f"{amount:,.2f}"


def short_money(amount: Decimal, currency: str, language: str = "en") -> str:
    """An amount without its cents, for a heading."""
    digits = minor_digits(currency) if currency else 2
    whole = money(Decimal(amount).quantize(Decimal(1)), currency, language)
    return re.sub(rf"[.,٫]0{{{digits}}}(?!\d)", "", whole) if digits else whole


def day(value: date | None) -> str:
    """A day as 31 Oct 2026."""
    return "…" if value is None else f"{value.day} {value:%b %Y}"
