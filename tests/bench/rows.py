"""Every benchmark by name, in the order in which they run."""

from __future__ import annotations

from tests.bench.model import Bench
from tests.bench.works import commit, lead_import, show, start

BENCHES: dict[str, Bench] = {module.BENCH.name: module.BENCH for module in (start, commit, lead_import, show)}
