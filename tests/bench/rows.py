"""Every benchmark by name, in the order in which they run."""

from __future__ import annotations

from tests.bench.model import Bench
from tests.bench.works import (
    assign,
    bounces,
    campaigns,
    commit,
    dedupe,
    lead_import,
    pipelining,
    rules,
    score,
    segment,
    show,
    simulate,
    start,
)

BENCHES: dict[str, Bench] = {
    bench.name: bench
    for bench in (
        start.BENCH,
        commit.BENCH,
        lead_import.BENCH,
        show.BENCH,
        dedupe.BENCH,
        score.BENCH,
        segment.BENCH,
        assign.BENCH,
        campaigns.PLAN,
        simulate.BENCH,
        rules.BENCH,
        campaigns.DISPATCH,
        pipelining.BENCH,
        bounces.BENCH,
    )
}
