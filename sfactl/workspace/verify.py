"""Is everything that was committed still there, whole and in order? Reads every file; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sfactl.api.errors import SfactlError
from sfactl.workspace.collect import orphans
from sfactl.workspace.snapshot import DataFile, live_files, merged, read_files
from sfactl.workspace.stage import crc32_of
from sfactl.workspace.transaction import key_list
from sfactl.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at, and each thing that is wrong (file or dataset: what, and what to do)."""

    commits: int
    files: int
    bytes: int
    rows: int
    orphans: int
    problems: tuple[str, ...]


def verify(workspace: Workspace, *, quick: bool = False) -> Verified:
    """Check the manifest, every data file of every version, and the keys of every dataset.

    ``quick`` checks sizes instead of contents.
    """
    problems = [*_manifest_problems(workspace)]
    files = read_files(workspace.manifest, "true")
    for f in files:
        problems += _file_problems(workspace, f, quick=quick)
    live = live_files(workspace.manifest, workspace.head())
    if not problems and not quick:
        for name in sorted({f.dataset for f in live}):
            problems += _key_problems(workspace, name)
    return Verified(
        commits=workspace.head(),
        files=len(files),
        bytes=sum(f.bytes for f in files),
        rows=sum(f.rows for f in live),
        orphans=len(orphans(workspace)),
        problems=tuple(problems),
    )


def _manifest_problems(workspace: Workspace) -> Iterator[str]:
    for (answer,) in workspace.manifest.rows("pragma integrity_check"):
        if answer != "ok":
            yield f"manifest.db: {answer}; restore it from a backup"
    row = workspace.manifest.one("select count(*), coalesce(max(seq), 0) from commits")
    if row is not None and row[0] != row[1]:
        yield f"manifest.db: {row[1] - row[0]} commits are missing from the log; restore it from a backup"
    lost = workspace.manifest.one(
        "select count(*) from files where added_seq not in (select seq from commits)"
        " or removed_seq not in (select seq from commits)"
    )
    if lost is not None and lost[0]:
        yield f"manifest.db: {lost[0]} files belong to no commit; restore it from a backup"


def _file_problems(workspace: Workspace, f: DataFile, *, quick: bool) -> Iterator[str]:
    path = workspace.private / f.path
    whose = f"{f.path} (commit {f.added_seq}, {f.rows:,} rows of {f.dataset})"
    if not path.exists():
        yield f"{whose}: is missing; restore it from a backup"
    elif (size := path.stat().st_size) != f.bytes:
        yield f"{whose}: has {size:,} bytes, not {f.bytes:,}; restore it from a backup"
    elif not quick and crc32_of(path) != f.crc32:
        yield f"{whose}: its content was changed; restore it from a backup"


def _key_problems(workspace: Workspace, name: str) -> Iterator[str]:
    schema = workspace.schemas[name]
    keys = key_list(schema)
    files = workspace.snapshot().files(name)
    try:
        with workspace.query() as q:
            row = q.one(
                f"select count(*)::bigint, count(distinct ({keys}))::bigint"
                f" from ({merged(workspace.private, schema, files)})"
            )
    except SfactlError as err:
        yield f"{name}: {err.message}"
        return
    if row and row[0] != row[1]:
        yield f"{name}: {row[0] - row[1]:,} rows share a key ({keys}) with another"
