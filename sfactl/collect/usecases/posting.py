"""Bring in the forms that were posted: as rows of a file they become leads and touchpoints, by the same rules.

What a form's file maps is cleaned and matched as everything else; a row that cannot be a lead goes to ``rejects/``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sfactl.api.errors import SfactlError
from sfactl.collect import segments
from sfactl.collect.forms import Form, read_forms
from sfactl.collect.model import Post

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCount:
    """What became of the postings of one form. ``problem`` is why none could be brought in; they wait."""

    form: str
    posts: int
    new: int = 0
    updated: int = 0
    rejected: int = 0
    asked: int = 0
    rejects_file: str | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What was brought in of all forms, and how many files were done with."""

    forms: tuple[FormCount, ...] = ()
    files: int = 0
    damaged: list[str] = field(default_factory=list)


def import_posts(session: Session, folder: Path) -> Posted:
    """Bring in the postings in ``folder``; a file is removed when all that is in it was brought in."""
    forms, counts, damaged, files, start = read_forms(session.folder), [], [], 0, ""
    while True:
        with segments.reading(folder, start) as chunk:
            ours = [f for f in chunk.files if f.ours]  # the collector completes the others within seconds
            posts = [r for f in ours for r in f.records if isinstance(r, Post)]
            said = [_import_form(session, forms.get(name), name, posts) for name in sorted({p.form for p in posts})]
            waiting = {c.form for c in said if c.problem}
            done = [f for f in ours if not waiting & {r.form for r in f.records if isinstance(r, Post)}]
            counts += said
            files += len(done)
            damaged += segments.clear(done, keep=session.dry_run)
            start = f"{chunk.files[-1].path.name} " if chunk.files else ""
        if not chunk.more:
            return Posted(forms=tuple(counts), files=files, damaged=damaged)


def _import_form(session: Session, form: Form | None, name: str, posts: Sequence[Post]) -> FormCount:
    from sfactl.leads.usecases import import_files
    from sfactl.leads.usecases.imports import work_folder

    mine = list({p.id: p for p in posts if p.form == name}.values())
    if form is None:
        return FormCount(form=name, posts=len(mine), problem=f"there is no forms/{name}.toml any more")
    with work_folder(session) as scratch:
        path = scratch / f"form-{name}-{mine[0].at:%Y%m%dT%H%M%S}-{mine[0].id[:8]}.jsonl"
        path.write_text("".join(map(_row, mine)), encoding="utf-8")
        try:
            made = import_files(session, [path], mapping=form.mapping or None, source=form.source, form=name)
        except SfactlError as err:
            return FormCount(form=name, posts=len(mine), problem=err.message)
    (file,) = made.files
    return FormCount(
        form=name,
        posts=len(mine),
        new=made.new,
        updated=made.updated,
        rejected=made.rejected,
        asked=_ask(session, mine),
        rejects_file=file.rejects_file,
    )


def _row(post: Post) -> str:
    row = {"submission_id": post.id, "submitted_at": f"{post.at.isoformat()}+00:00", "page": post.page, **post.fields}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _ask(session: Session, posts: Sequence[Post]) -> int:
    """Who ticked a topic subscribes to it: that is their word, to be confirmed where the topic wants it."""
    if not any(p.asked for p in posts):
        return 0
    with session.write("touchpoints", reason="ticked in a form") as tx:
        tx.query.register("given_asked", _asked(posts))
        asked = tx.append("touchpoints", tx.query.statement("collect", "asked"))
        if asked:
            tx.commit(asked=asked)
    return asked


def _asked(posts: Sequence[Post]) -> pa.Table:
    import pyarrow as pa

    rows = [{"post": p.id, "topic": topic} for p in posts for topic in p.asked]
    return pa.Table.from_pylist(rows, pa.schema([("post", pa.string()), ("topic", pa.string())]))
