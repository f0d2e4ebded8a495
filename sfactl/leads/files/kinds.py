"""Tell what a file is by its first bytes, and by its ending only where bytes cannot say; then have it staged."""

from __future__ import annotations

import re
from pathlib import Path

from sfactl.api.errors import DataError
from sfactl.leads.files.delimited import stage_delimited
from sfactl.leads.files.json_files import stage_json
from sfactl.leads.files.options import Reading
from sfactl.leads.files.parquet import stage_parquet
from sfactl.leads.files.posted import stage_posts
from sfactl.leads.files.scan import open_bytes
from sfactl.leads.files.sheets import stage_sheet
from sfactl.leads.files.staging import Staged
from sfactl.leads.files.vcards import stage_vcards

READERS = {
    "delimited": stage_delimited,
    "json": stage_json,
    "sheet": stage_sheet,
    "vcard": stage_vcards,
    "posts": stage_posts,
    "parquet": stage_parquet,
}
SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xlsm", ".xls", ".ods", ".vcf")
"""Endings that a folder of files is searched for."""


_POST = re.compile(rb"[\w.%\[\]+-]+=[^&\s]*(?:&[\w.%\[\]+-]+=[^&\s]*)+\r?(?:\n|$)")
"""A first line that is the body of a form; in text of other kinds blanks stand before the second field."""


def stage(reading: Reading) -> Staged:
    """Read any file of leads. Raises `DataError`."""
    return READERS[kind_of(reading.path)](reading)


def kind_of(path: Path) -> str:
    """One of `READERS`. Raises `DataError` for what is none of them."""
    if path.is_dir():
        raise DataError(f"{path} is a folder", hint="Name its files, or pull them with the source 'file'")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    try:
        with open_bytes(path) as file:
            head = file.read(4096)
    except (OSError, EOFError) as err:
        raise DataError(f"{path.name} cannot be read: {err}") from err
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "sheet"
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise DataError(f"{path.name} is not a file of leads", hint=f"Known kinds: {' '.join(SUFFIXES)}")
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if re.match(rb"BEGIN\s*:\s*VCARD", text, re.IGNORECASE):
        return "vcard"
    delimited = any(s in (".csv", ".tsv") for s in path.suffixes)
    if text[:1] == b"{" or (text[:1] == b"[" and re.match(rb"\[\s*[{\]]", text)):
        return "delimited" if delimited else "json"
    if not delimited and _POST.match(text):
        return "posts"
    return "delimited"
