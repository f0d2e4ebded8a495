"""Reports. They read one commit, change nothing, and say which commit it was."""

from sfactl.insight.usecases.activity import content, content_drill, sleeping, sleeping_drill, trend, trend_drill
from sfactl.insight.usecases.attributing import attribution, attribution_drill
from sfactl.insight.usecases.budgeting import budget
from sfactl.insight.usecases.conversion import (
    cohort,
    cohort_drill,
    cohort_window,
    source_drill,
    winrate,
    winrate_drill,
)
from sfactl.insight.usecases.driving import drivers, drivers_drill
from sfactl.insight.usecases.handling import handling, handling_drill
from sfactl.insight.usecases.layouts import layout_drill, layout_funnel
from sfactl.insight.usecases.lead_to_cash import ageing, campaign, drill, funnel, money, pipeline, score, source
from sfactl.insight.usecases.overview import html, read_overview, write_page
from sfactl.insight.usecases.people import people, people_drill
from sfactl.insight.usecases.speed import speed, speed_drill
from sfactl.insight.usecases.spending import referral, referral_drill, roi, roi_drill

__all__ = [
    "ageing",
    "attribution",
    "attribution_drill",
    "budget",
    "campaign",
    "cohort",
    "cohort_drill",
    "cohort_window",
    "content",
    "content_drill",
    "drill",
    "drivers",
    "drivers_drill",
    "funnel",
    "handling",
    "handling_drill",
    "html",
    "layout_drill",
    "layout_funnel",
    "money",
    "people",
    "people_drill",
    "pipeline",
    "read_overview",
    "referral",
    "referral_drill",
    "roi",
    "roi_drill",
    "score",
    "sleeping",
    "sleeping_drill",
    "source",
    "source_drill",
    "speed",
    "speed_drill",
    "trend",
    "trend_drill",
    "winrate",
    "winrate_drill",
    "write_page",
]
