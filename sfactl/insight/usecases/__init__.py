"""Reports. They read one commit, change nothing, and say which commit it was."""

from sfactl.insight.usecases.attributing import attribution, attribution_drill
from sfactl.insight.usecases.conversion import (
    cohort,
    cohort_drill,
    cohort_window,
    source_drill,
    winrate,
    winrate_drill,
)
from sfactl.insight.usecases.lead_to_cash import ageing, campaign, drill, funnel, money, pipeline, score, source
from sfactl.insight.usecases.overview import html, read_overview, write_page

__all__ = [
    "ageing",
    "attribution",
    "attribution_drill",
    "campaign",
    "cohort",
    "cohort_drill",
    "cohort_window",
    "drill",
    "funnel",
    "html",
    "money",
    "pipeline",
    "read_overview",
    "score",
    "source",
    "source_drill",
    "winrate",
    "winrate_drill",
    "write_page",
]
