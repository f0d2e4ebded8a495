"""Find who is meant: the leads, contacts and accounts that people name, and the leads that meet a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import NotFound, UserError
from sfactl.config.tags import DATASETS, Kind, known_tags
from sfactl.portrait.refs import Ref, ref_of
from sfactl.workspace.aliases import living

if TYPE_CHECKING:
    from sfactl.engine.duck import Query
    from sfactl.session import Session

NAMES = ("full_name", "company", "name", "email")


def find(query: Query, refs: Sequence[str]) -> list[tuple[Kind, int]]:
    """What ``refs`` name, each once, in order. Raises `NotFound` naming the first that is not there."""
    return list(dict.fromkeys(_one(query, ref_of(text)) for text in refs))


def row_of(query: Query, kind: Kind, number: int) -> dict[str, Any]:
    """The row of one bearer. Raises `NotFound`."""
    row = query.get(DATASETS[kind], number)
    if row is None:
        raise NotFound(f"there is no {kind} {number}", hint=f"See: sfactl {kind} list")
    return row


def name_in(row: dict[str, Any]) -> str | None:
    """What people call it."""
    return next((str(row[column]) for column in NAMES if row.get(column)), None)


def make_chosen(session: Session, query: Query, *, segment: str | None, where: str | None) -> None:
    """Make the temporary table ``chosen`` (lead_id) of the members of a segment, or of who meets a condition."""
    if (segment is None) == (where is None):
        raise UserError("say either a segment or a condition, not both")
    if segment is not None:
        known = sorted(p.stem for p in (session.folder / "segments").glob("*.toml"))
        if segment not in known:
            import difflib

            near = difflib.get_close_matches(segment, known, 1)
            raise NotFound(f"there is no segment {segment!r}", hint=f"Did you mean {near[0]!r}?" if near else None)
        sql, params = "select lead_id from segment_members where segment = $segment", dict[str, Any](segment=segment)
    else:
        from sfactl.engine.conditions import compile_condition

        names = condition_names(session)
        compiled = compile_condition(
            where or "", schemas=session.workspace.schemas, now=session.as_of_time(), where="--where", **names
        )
        sql, params = compiled.sql, dict(compiled.params)
    query.run(f"create or replace temp table chosen as {sql}", params)


def condition_names(session: Session) -> dict[str, Any]:
    """The segments, scores and tags that a condition of this workspace may name."""
    folder = session.folder
    return {
        "segments": sorted(p.stem for p in (folder / "segments").glob("*.toml")),
        "scores": sorted(p.stem for p in (folder / "scores").glob("*.toml")),
        "tags": known_tags(folder),
    }


def _one(query: Query, ref: Ref) -> tuple[Kind, int]:
    if ref.number is not None:
        # A number that was merged into another means that one.
        number = living(query, ref.kind, ref.number)
        row_of(query, ref.kind, number)
        return ref.kind, number
    rows = query.rows("select lead_id from leads where email = $email order by lead_id", {"email": ref.email})
    if not rows:
        raise NotFound(f"there is no lead with the e-mail {ref.email}", hint="See: sfactl lead list")
    if len(rows) > 1:
        listed = ", ".join(f"lead:{row[0]}" for row in rows[:5])
        raise UserError(f"{ref.email} is the e-mail of {len(rows)} leads: {listed}", hint="Name one by its number.")
    return "lead", int(rows[0][0])
