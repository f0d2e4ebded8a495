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
    score,
    segment,
    show,
    simulate,
    start,
    strategy_test,
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
        strategy_test.BENCH,
        campaigns.DISPATCH,
        pipelining.BENCH,
        bounces.BENCH,
    )
}
