"""Print how well duplicates are found in public data sets: ``python -m tests.identity.quality [SET…]``."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sfactl.config.settings import Settings, WorkspaceSettings
from sfactl.session import FixedClock, Session, open_session
from sfactl.workspace import Workspace
from tests.identity.truth_sets import SETS, Pairs, TruthSet, pair

NOW = datetime(2026, 11, 21, 9, 0)
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Precision and recall of a set of pairs."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return 2 * self.precision * self.recall / ((self.precision + self.recall) or 1)


def figures(found: Pairs, truth: Pairs) -> Figures:
    """How many of the pairs found are true, and how many of the true ones are found."""
    right = len(found & truth)
    return Figures(precision=right / len(found) if found else 1.0, recall=right / len(truth) if truth else 1.0)


def session_of(folder: Path, truth: TruthSet) -> Session:
    """A session in a workspace that has the set's custom fields."""
    settings = Settings(
        workspace=WorkspaceSettings(country=truth.country, time_zone="UTC"), fields={"leads": dict(truth.fields)}
    )
    return open_session(folder, settings=settings, command="test", actor="mei", clock=FixedClock(NOW), quiet=True)


def load(folder: Path, truth: TruthSet) -> Path:
    """Make a workspace and import the set into it, each file under its source."""
    from sfactl.leads.usecases import import_files

    workspace = folder / "workspace"
    workspace.mkdir()
    Workspace.create(workspace).close()
    for source, text in truth.files.items():
        file, mapping = folder / f"{source}.csv", folder / f"{source}.toml"
        file.write_text(text, encoding="utf-8")
        mapping.write_text(truth.mappings[source], encoding="utf-8")
        with session_of(workspace, truth) as session:
            import_files(session, [file], mapping=str(mapping), source=source)
    return workspace


def pairs_of(session: Session, plan_id: str, decisions: tuple[str, ...] = ("merge",)) -> Pairs:
    """The pairs of a plan with the ids of the set."""
    listed = ", ".join(f"'{d}'" for d in decisions)
    with session.query() as query:
        rows = query.rows(
            "select x.source || ':' || x.external_id, y.source || ':' || y.external_id from dedupe_pairs p"
            " join leads x on x.lead_id = p.a join leads y on y.lead_id = p.b"
            f" where p.plan_id = '{plan_id}' and p.decision in ({listed})"
        )
    return frozenset(pair(a, b) for a, b in rows)


def measured(session: Session, truth: TruthSet) -> tuple[Figures, Figures]:
    """Figures of the default configuration: of the pairs to merge, and with those to review."""
    from sfactl.identity.usecases.dedupe import plan

    a, *rest = truth.files
    made = plan(session, between=(a, rest[0]) if truth.linked else None).plan
    merge = pairs_of(session, made.plan_id)
    every = pairs_of(session, made.plan_id, ("merge", "review"))
    return figures(merge, truth.truth), figures(every, truth.truth)


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'set':14} {'P':>6} {'R':>6} {'F1':>6}   {'P+rev':>6} {'R+rev':>6}   s")
    for name in names or list(SETS):
        truth = SETS[name](DATA)
        with tempfile.TemporaryDirectory() as folder:
            workspace = load(Path(folder), truth)
            with session_of(workspace, truth) as session:
                start = time.monotonic()
                merge, every = measured(session, truth)
        took = time.monotonic() - start
        print(
            f"{name:14} {merge.precision:6.3f} {merge.recall:6.3f} {merge.f1:6.3f}   {every.precision:6.3f}"
            f" {every.recall:6.3f}   {took:.1f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
