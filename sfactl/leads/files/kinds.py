"""Tell what a file is by its first bytes, and by its ending only where bytes cannot say; then have it staged."""

from __future__ import annotations

import re
import zlib
from gzip import BadGzipFile
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
    try:
        return READERS[kind_of(reading.path)](reading)
    except (EOFError, BadGzipFile, zlib.error) as err:
        raise DataError(f"{reading.file} cannot be read to its end: {err}", hint="Was it copied whole?") from err


def kind_of(path: Path) -> str:
    """One of `READERS`. Raises `DataError` for what is none of them."""
    if path.is_dir():
        raise DataError(f"{path} is a folder", hint="Name its files, or pull them with the source 'file'")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    try:
        with open_bytes(path) as file:
            head = file.read(4096)
    except (OSError, EOFError, zlib.error) as err:
        raise DataError(f"{path.name} cannot be read: {err}") from err
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04") and (inside := _packed(path)) is not None:
        raise DataError(f"{path.name} is a ZIP archive of {inside}", hint="Unpack it, and name the files inside.")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "sheet"
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise DataError(f"{path.name} is not a file of leads", hint=f"Known kinds: {' '.join(SUFFIXES)}")
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if page := re.match(rb"(?:<\?xml[^>]*>\s*)?<(?:!doctype html|html|head|body)\b", text, re.IGNORECASE):
        title = re.search(rb"<title[^>]*>([^<]{1,80})", text, re.IGNORECASE) if page else None
        named = f" ({title[1].decode('utf-8', 'replace').strip()!r})" if title else ""
        raise DataError(
            f"{path.name} is a web page{named}, not a file of leads",
            hint="An error page or a page to log in was saved in its place. Fetch it again.",
        )
    if re.match(rb"BEGIN\s*:\s*VCARD", text, re.IGNORECASE):
        return "vcard"
    delimited = any(s in (".csv", ".tsv") for s in path.suffixes)
    if text[:1] == b"{" or (text[:1] == b"[" and re.match(rb"\[\s*[{\]]", text)):
        return "delimited" if delimited else "json"
    if not delimited and _POST.match(text):
        return "posts"
    return "delimited"


def _packed(path: Path) -> str | None:
    """What is in a ZIP archive that is no spreadsheet, None for a spreadsheet or what cannot be told."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = archive.namelist()
    except (BadZipFile, OSError):
        return None
    if any(n in ("[Content_Types].xml", "mimetype", "content.xml") for n in names):
        return None
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more if names else "nothing"
