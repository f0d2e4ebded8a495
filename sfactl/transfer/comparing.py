"""Say in which files, and in which keys of them, the rules of two workspaces differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sfactl.transfer.references import parsed

What = Literal["new", "changed", "only there", "comments", "setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key, or one file, that is otherwise here than there; ``key`` is empty where the whole file is meant.

    ``there`` and ``here`` are null where one has none. Secrets are never values, only references.
    """

    place: str
    what: What
    key: str = ""
    there: Any = None
    here: Any = None


def compare_files(there: Mapping[str, bytes], here: Mapping[str, bytes]) -> Iterator[Difference]:
    """What it takes to make the files of ``there`` those of ``here``."""
    for path in sorted({*there, *here}):
        old, new = there.get(path), here.get(path)
        if old is None or new is None:
            yield Difference(place=path, what="new" if old is None else "only there")
        elif old != new:
            yield from _changed(path, old, new)


def _changed(path: str, old: bytes, new: bytes) -> Iterator[Difference]:
    before, after = parsed(old), parsed(new)
    if not path.endswith(".toml") or before is None or after is None:
        yield Difference(place=path, what="changed", there=f"{len(old):,} bytes", here=f"{len(new):,} bytes")
        return
    left, right = dict(flat(before)), dict(flat(after))
    names = dict.fromkeys([*left, *right])
    keys = [key for key in names if key not in left or key not in right or left[key] != right[key]]
    if not keys:
        yield Difference(place=path, what="comments")
    for key in keys:
        yield Difference(place=path, what="changed", key=key, there=left.get(key), here=right.get(key))


def flat(value: object, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a TOML document by key path; tables of a list go by their names where all have one."""
    named = _by_name(value)
    if isinstance(value, Mapping) or named is not None:
        inner = value if isinstance(value, Mapping) else named
        for name, part in (inner or {}).items():
            yield from flat(part, f"{key}.{name}" if key else str(name))
        if named is not None:
            yield f"{key} in order", list(named)
    else:
        yield key, value


def _by_name(value: object) -> dict[str, Any] | None:
    """A list of tables by their names; None where they have none, or two the same."""
    if not isinstance(value, list) or not value or not all(isinstance(v, Mapping) for v in value):
        return None
    for label in ("name", "id"):
        found = {str(v[label]): {k: x for k, x in v.items() if k != label} for v in value if label in v}
        if len(found) == len(value):
            return found
    return None
