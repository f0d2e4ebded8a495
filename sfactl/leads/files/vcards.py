"""Stage vCard files, versions 2.1, 3.0 and 4.0, one row a card.

Telephones that are no faxes or pagers come in order of preference, then mobile before work before home. A birthday
without its year is no date and goes into a column of its own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sfactl.api.errors import DataError
from sfactl.leads.files.delimited import text_lines
from sfactl.leads.files.encoding import detect, stated
from sfactl.leads.files.options import Reading
from sfactl.leads.files.scan import scan
from sfactl.leads.files.staging import Staged, Stager

COLUMNS = (
    "FN", "N.family", "N.given", "N.middle", "N.prefix", "N.suffix", "NICKNAME", "ORG", "ORG.unit", "TITLE", "ROLE",
    "EMAIL", "EMAIL 2", "EMAIL 3", "TEL", "TEL 2", "TEL 3", "FAX", "ADR.extended", "ADR.street", "ADR.city",
    "ADR.region", "ADR.code", "ADR.country", "URL", "BDAY", "BDAY.partial", "NOTE", "CATEGORIES", "LANG", "TZ",
    "GENDER", "UID",
)  # fmt: skip
_BINARY = re.compile(r"(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
_BEGIN = re.compile(r"\s*BEGIN\s*:\s*VCARD\s*", re.IGNORECASE)
_END = re.compile(r"\s*END\s*:\s*VCARD\s*", re.IGNORECASE)


def stage_vcards(reading: Reading) -> Staged:
    """Read the cards of the file into ``reading.into``; a card that cannot be read is a faulty row."""
    found = scan(reading.path)
    said = reading.options.encoding
    encoding = stated(said, where=f"{reading.where}: file.encoding") if said else detect(found, file=reading.file)
    with Stager(reading.into, len(COLUMNS)) as stager:
        for line, text, closed in _cards(text_lines(reading.path, encoding)):
            try:
                if not closed:
                    raise ValueError("it is never closed by END:VCARD")
                stager.add(_row(text), line=line)
            except Exception as err:
                cells: list[str | None] = [text[:2_000], *[None] * (len(COLUMNS) - 1)]
                stager.add(cells, line=line, problem=f"the card cannot be read: {err}")
    if stager.rows == 0:
        raise DataError(f"{reading.file} has no vCards")
    empty = frozenset(c for i, c in enumerate(COLUMNS) if i not in stager.filled)
    return Staged(path=reading.into, columns=COLUMNS, rows=stager.rows, facts=(encoding.label, "vCard"), empty=empty)


def _cards(lines: Iterator[str]) -> Iterator[tuple[int, str, bool]]:
    """(first line, text, was it closed) of each card."""
    card: list[str] = []
    begun = 0
    for number, line in enumerate(lines, 1):
        if _BEGIN.fullmatch(line):
            if card:
                yield begun, "\n".join(card), False
            card, begun = [line.strip()], number
        elif card and _END.fullmatch(line):
            yield begun, "\n".join([*_without_pictures(card), line.strip()]) + "\n", True
            card = []
        elif card:
            card.append(line)
    if card:
        yield begun, "\n".join(card), False


def _without_pictures(card: list[str]) -> Iterator[str]:
    """The lines of a card without pictures, sounds and keys: long, useless here, and folded in a way of their own."""
    dropping = False
    for line in card:
        if not line.strip():
            dropping = False
            continue
        if dropping and (line[0] in " \t" or not re.match(r"[\w.-]+[;:]", line)):
            continue
        dropping = _BINARY.match(line) is not None
        if not dropping:
            yield line


def _row(text: str) -> list[str | None]:
    from vobject.base import getLogicalLines, textLineToContentLine

    # Content lines only: vobject's component parser cuts texts at commas that nobody escaped.
    fields: dict[str, list[Any]] = {}
    for line, number in getLogicalLines(io.StringIO(text), True):
        if line.strip():
            content = textLineToContentLine(line, number)
            fields.setdefault(content.name.lower(), []).append(content)
    cells: dict[str, str] = {}
    _names(fields, cells)
    _plain_fields(fields, cells)
    _ranked("EMAIL", fields.get("email", []), cells)
    phones = fields.get("tel", [])
    _ranked("TEL", [t for t in phones if not _kinds(t) & {"fax", "pager"}], cells)
    _ranked("FAX", [t for t in phones if "fax" in _kinds(t)][:1], cells)
    _address(fields, cells)
    return [_clean(cells.get(name)) for name in COLUMNS]


def _names(fields: dict[str, list[Any]], cells: dict[str, str]) -> None:
    if fields.get("n"):
        for part, text in zip(("family", "given", "middle", "prefix", "suffix"), _parts(fields["n"][0].value)):
            cells[f"N.{part}"] = text
    cells["FN"] = _first(fields, "fn") or " ".join(
        t for t in (cells.get("N.given", ""), cells.get("N.middle", ""), cells.get("N.family", "")) if t
    )
    if fields.get("org"):
        units = _parts(fields["org"][0].value)
        cells["ORG"], cells["ORG.unit"] = units[0], ", ".join(u for u in units[1:] if u)


def _plain_fields(fields: dict[str, list[Any]], cells: dict[str, str]) -> None:
    for name in ("nickname", "title", "role", "url", "note", "categories", "lang", "tz", "gender", "uid"):
        if text := _first(fields, name):
            cells[name.upper()] = text
    if born := _first(fields, "bday"):
        cells["BDAY.partial" if born.startswith("-") or len(re.sub(r"\D", "", born)) < 8 else "BDAY"] = born[:10]


def _ranked(name: str, found: Sequence[Any], cells: dict[str, str]) -> None:
    texts = [t for t in dict.fromkeys(_unescape(c.value).strip() for c in sorted(found, key=_rank)) if t]
    for i, text in enumerate(texts, 1):
        cells[name if i == 1 else f"{name} {i}"] = text


def _rank(line: Any) -> tuple[int, int]:
    kinds = _kinds(line)
    preferred = [int(p) for p in line.params.get("PREF", []) if p.isdigit()]
    order = preferred[0] if preferred else 1 if "pref" in kinds else 50
    return order, next((i for i, k in enumerate(("cell", "work", "home")) if k in kinds), 9)


def _kinds(line: Any) -> set[str]:
    stated_kinds = [t for value in line.params.get("TYPE", []) for t in value.split(",")]
    return {t.lower() for t in (*stated_kinds, *line.singletonparams)}


def _address(fields: dict[str, list[Any]], cells: dict[str, str]) -> None:
    found = sorted(fields.get("adr", []), key=lambda a: ("pref" not in _kinds(a), "work" not in _kinds(a)))
    if found:
        names = ("box", "extended", "street", "city", "region", "code", "country")
        for part, text in zip(names, _parts(found[0].value)):
            cells[f"ADR.{part}"] = text


def _first(fields: dict[str, list[Any]], name: str) -> str:
    return _unescape(fields[name][0].value) if fields.get(name) else ""


def _parts(value: str) -> list[str]:
    return [_unescape(p).strip() for p in re.split(r"(?<!\\);", value)]


def _unescape(value: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], str(value), flags=re.DOTALL)


def _clean(text: str | None) -> str | None:
    return re.sub(r"\s*[\r\n]+\s*", "\n", text).strip() or None if text else None
