"""Publish datasets as Delta tables: the same Parquet files, registered in a Delta log beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sfactl.api.errors import UserError
from sfactl.workspace.compaction import compact
from sfactl.workspace.snapshot import DataFile
from sfactl.workspace.transaction import Author
from sfactl.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One Delta table: where it is, and how many files and rows it names."""

    dataset: str
    table: str
    files: int
    rows: int


def publish_delta(workspace: Workspace, author: Author, datasets: Sequence[str]) -> list[Published]:
    """Make or renew the Delta table of each dataset that has rows. State datasets are compacted first, because Delta
    knows no merge-on-read of ours. Raises `UserError` where the package ``deltalake`` is missing."""
    try:
        import deltalake
    except ImportError:
        raise UserError(
            "publishing as Delta needs the package deltalake", hint="Install it with: pip install 'sfactl[delta]'"
        ) from None
    done = []
    for name in datasets:
        schema = workspace.schemas[name]
        files = workspace.snapshot().files(name)
        if schema.kind == "state" or any(f.version < schema.version for f in files):
            compact(workspace, author, name, full=True)
            files = workspace.snapshot().files(name)
        if files:
            done.append(_register(deltalake, workspace, name, files))
    return done


def _register(deltalake: Any, workspace: Workspace, name: str, files: Sequence[DataFile]) -> Published:
    from deltalake.transaction import AddAction, create_table_with_add_actions

    folder = workspace.private / "data" / name
    schema = deltalake.Schema.from_arrow(workspace.schemas[name].arrow())
    actions = [_action(AddAction, workspace, f) for f in files]
    if deltalake.DeltaTable.is_deltatable(str(folder)):
        table = deltalake.DeltaTable(str(folder))
        table.create_write_transaction(actions, mode="overwrite", schema=schema, partition_by=[])
    else:
        create_table_with_add_actions(str(folder), schema=schema, add_actions=actions, mode="overwrite")
    return Published(dataset=name, table=str(folder), files=len(files), rows=sum(f.rows for f in files))


def _action(add: Any, workspace: Workspace, f: DataFile) -> Any:
    import json

    path = workspace.private / f.path
    return add(
        path=path.name,
        size=f.bytes,
        partition_values={},
        modification_time=int(path.stat().st_mtime * 1000),
        data_change=True,
        stats=json.dumps({"numRecords": f.rows}),
    )
