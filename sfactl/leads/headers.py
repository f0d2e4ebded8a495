"""Know a column by its header, in several languages; the table is data (`headers.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).with_name("headers.toml")


def folded(text: str) -> str:
    """A header without width, case, blanks and punctuation."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", plain)


@lru_cache(maxsize=8)
def known_headers(dataset: str) -> Mapping[str, str]:
    """Folded header → field, for ``leads`` or ``touchpoints``."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))[dataset]
    found: dict[str, str] = {}
    for field, headers in table.items():
        for header in (field, *headers):
            found.setdefault(folded(header), field)
    return found


def recognise(headers: Sequence[str], dataset: str, custom: Sequence[str] = ()) -> dict[str, int]:
    """Field → position of the first header that means it, in the order of the headers.

    A custom field is recognised by its own name. Nothing is said of headers that mean a field already taken.
    """
    known = {**known_headers(dataset), **{folded(name): name for name in custom}}
    found: dict[str, int] = {}
    for i, header in enumerate(headers):
        field = known.get(folded(header))
        if field and field not in found:
            found[field] = i
    return found


def count_known(dataset: str, cells: Sequence[str]) -> int:
    """How many of a row's cells are headers of the table; a cell is short, and never repeats another."""
    return len(recognise([c for c in cells if len(c) <= 60], dataset))


def position(name: str, columns: Sequence[str]) -> int | None:
    """The column called ``name``: exactly, else without width, case and blanks; None if none or several.

    A ``*`` in the name stands for anything: "Amount spent (*)" is "Amount spent (TWD)" too. A ``|`` parts other names
    of the same column, of which the first that is there counts.
    """
    if name in columns:
        return columns.index(name)
    if "|" in name.strip("|"):
        places = (position(part.strip(), columns) for part in name.split("|"))
        return next((p for p in places if p is not None), None)
    wanted = re.escape(_trimmed(name)).replace(r"\*", ".*")
    found = [i for i, c in enumerate(columns) if re.fullmatch(wanted, _trimmed(c))]
    return found[0] if len(found) == 1 else None


def _trimmed(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().casefold()
