"""Look once over the bytes of a text file: what every later decision about encoding and dialect rests on."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

CHUNK = 1 << 22
SAMPLE = 1 << 20
"""How many bytes of lines with non-ASCII characters are kept to judge the encoding by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Facts about the bytes of one file, decompressed.

    ``bad_utf8_line`` is the first line that is not UTF-8 (None: all of it is). ``sample`` holds whole lines that have
    bytes above 127. ``gaps`` tells runs of blanks and tabs, in encodings that write them in one byte.
    """

    size: int
    ascii: bool
    bad_utf8_line: int | None
    nul: bool
    quote: bool
    lf: int
    cr: int
    crlf: int
    gaps: tuple[str, ...]
    gzipped: bool
    head: bytes
    sample: bytes

    @property
    def lines(self) -> int:
        """Line ends of any kind."""
        return self.lf + self.cr - self.crlf


def is_gzip(path: Path) -> bool:
    """Does the file begin with gzip's magic number?"""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_bytes(path: Path) -> IO[bytes]:
    """The file's bytes, decompressed where it is gzip, whatever its name ends in."""
    if is_gzip(path):
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def chunks(path: Path) -> Iterator[bytes]:
    """The file's bytes in pieces, never cutting a CR from its LF."""
    with open_bytes(path) as file:
        while piece := file.read(CHUNK):
            while piece.endswith(b"\r") and (more := file.read(1)):
                piece += more
            yield piece


def scan(path: Path) -> Scan:
    """Read the file once, in bounded memory."""
    size = lf = cr = crlf = 0
    ascii_only, nul, quote, double_blank, tab = True, False, False, False, False
    bad_line: int | None = None
    decoder = codecs.getincrementaldecoder("utf-8")()
    head, sample = b"", bytearray()
    for piece in chunks(path):
        head = head or piece[: 1 << 16]
        if ascii_only and not piece.isascii():
            ascii_only = False
        if not ascii_only and bad_line is None:
            bad_line = _first_bad_line(decoder, piece, lf)
        if not ascii_only and len(sample) < SAMPLE:
            sample += _non_ascii_lines(piece, SAMPLE - len(sample))
        size += len(piece)
        lf += piece.count(b"\n")
        if b"\r" in piece:
            cr += piece.count(b"\r")
            crlf += piece.count(b"\r\n")
        nul = nul or b"\0" in piece
        quote = quote or b'"' in piece
        double_blank = double_blank or b"  " in piece
        tab = tab or b"\t" in piece
    gaps = ("  ",) * double_blank + ("\t",) * tab
    if bad_line is None and not ascii_only and _first_bad_line(decoder, b"", lf, final=True) is not None:
        bad_line = lf + 1
    return Scan(
        size=size, ascii=ascii_only, bad_utf8_line=bad_line, nul=nul, quote=quote, lf=lf, cr=cr, crlf=crlf,
        gaps=gaps, gzipped=is_gzip(path), head=head, sample=bytes(sample),
    )  # fmt: skip


def _first_bad_line(
    decoder: codecs.IncrementalDecoder, piece: bytes, before: int, *, final: bool = False
) -> int | None:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError as err:
        return before + piece[: err.start].count(b"\n") + 1
    return None


def _non_ascii_lines(piece: bytes, room: int) -> bytes:
    kept = bytearray()
    for line in piece.splitlines(keepends=True):
        if not line.isascii():
            kept += line
            if len(kept) >= room:
                break
    return bytes(kept)
