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


EXACT = """
select a.lead_id, b.lead_id from leads a join leads b on a.lead_id < b.lead_id and (
    lower(a.email) = lower(b.email) or lower(a.tax_id) = lower(b.tax_id)
    or (a.phone = b.phone and coalesce(lower(a.full_name), a.company_key) = coalesce(lower(b.full_name), b.company_key))
    or (lower(a.full_name) = lower(b.full_name) and (a.birth_date = b.birth_date or lower(a.street) = lower(b.street)))
    or (a.company_key = b.company_key and lower(a.street) = lower(b.street))
) where {across}
"""
"""What a person would do with exact keys: e-mail, tax id, phone and name, name and birthday or street."""


def exact(session: Session, truth: TruthSet) -> Pairs:
    """The pairs that agree in an exact key."""
    across = "a.source <> b.source" if truth.linked else "true"
    with session.query() as query:
        ids = dict(query.rows("select lead_id, source || ':' || external_id from leads"))
        return frozenset(pair(ids[a], ids[b]) for a, b in query.rows(EXACT.format(across=across)))


def measured(session: Session, truth: TruthSet, matcher: str | None = None) -> tuple[Figures, Figures]:
    """Figures of the default configuration: of the pairs to merge, and with those to review."""
    from sfactl.identity.usecases.dedupe import plan

    a, *rest = truth.files
    made = plan(session, between=(a, rest[0]) if truth.linked else None, matcher=matcher).plan
    merge = pairs_of(session, made.plan_id)
    every = pairs_of(session, made.plan_id, ("merge", "review"))
    return figures(merge, truth.truth), figures(every, truth.truth)


def main(names: list[str]) -> None:
    """Print the table as Markdown."""
    print("| set | exact keys P / R / F1 | sfactl P / R / F1 | with review R | splink P / R / F1 | seconds |")
    print("|---|---|---|---|---|---|")
    for name in names or list(SETS):
        truth = SETS[name](DATA)
        with tempfile.TemporaryDirectory() as folder:
            workspace = load(Path(folder), truth)
            with session_of(workspace, truth) as session:
                keys = figures(exact(session, truth), truth.truth)
                start = time.monotonic()
                merge, every = measured(session, truth)
                took = time.monotonic() - start
                other, _ = measured(session, truth, "splink")
        cells = [name, _said(keys), _said(merge), f"{every.recall:.3f}", _said(other), f"{took:.1f}"]
        print(f"| {' | '.join(cells)} |", flush=True)


def _said(f: Figures) -> str:
    return f"{f.precision:.3f} / {f.recall:.3f} / {f.f1:.3f}"


if __name__ == "__main__":
    main(sys.argv[1:])
