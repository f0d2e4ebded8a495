"""Write what differs between two sets of files in git's form, and apply such a patch to exactly what it was made from.

Each part names its file as it was and as it will be by git's own hash, so that nothing is ever applied to another text
than the one that was reviewed. ``git apply`` understands the same file. Form: git's diff-format documentation.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sfactl.api.errors import DataError

NONE = "0" * 40
"""The hash that stands where there is no file."""

_START = re.compile(r"diff --git a/(.+) b/(.+)")
_INDEX = re.compile(r"index ([0-9a-f]{7,40})\.\.([0-9a-f]{7,40})(?: \d+)?")
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@.*")
_LITERAL = re.compile(r"literal (\d{1,9})")
_LINE = 52
"""Bytes of a binary file that stand in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a patch says of one file: hashes of before and after, and the lines between."""

    path: str
    before: str
    after: str
    body: tuple[bytes, ...]

    def apply(self, content: bytes | None) -> bytes | None:
        """The file after the patch; None where it is removed. Raises `DataError` if the lines say something else."""
        made = None if set(self.after) == {"0"} else self._made(content or b"")
        if not _named(self.after, made):
            raise DataError(f"{self.path}: the patch does not give the file that it names; it was changed by hand")
        return made

    def fits(self, content: bytes | None) -> bool:
        """Whether the file is as it was when the patch was made."""
        return _named(self.before, content)

    def done(self, content: bytes | None) -> bool:
        """Whether the file is as the patch would make it."""
        return _named(self.after, content)

    def _made(self, content: bytes) -> bytes:
        if b"GIT binary patch" in self.body:
            return _literal(self.body, self.path)
        return b"".join(_patched(_lines(content), self.body, self.path))


def blob(content: bytes) -> str:
    """Git's hash of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def write_patch(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The patch that makes ``after`` of ``before``."""
    parts = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old != new:
            parts += list(_part(path, old, new))
    return b"".join(parts)


def read_patch(text: bytes, *, where: str) -> tuple[Part, ...]:
    """The parts of a patch. Raises `DataError` for what is none; lines before the first part are left unread."""
    lines = text.split(b"\n")
    starts = [(n, m) for n, line in enumerate(lines) if (m := _START.fullmatch(_decoded(line)))]
    if not starts and text:
        raise DataError(f"{where}: is no patch", hint="Make one with: sfactl workspace diff OTHER --patch FILE")
    ends = [*[n for n, _ in starts][1:], len(lines)]
    parts = []
    for (start, found), end in zip(starts, ends, strict=True):
        path, body = found[1], lines[start + 1 : end]
        index = next((m for line in body[:6] if (m := _INDEX.fullmatch(_decoded(line)))), None)
        if found[1] != found[2] or index is None:
            raise DataError(f"{where}, line {start + 1}: a file that is renamed, or without the line index")
        parts.append(Part(path=path, before=index[1], after=index[2], body=tuple(body)))
    if doubled := [one.path for one, two in pairwise(sorted(parts, key=lambda p: p.path)) if one.path == two.path]:
        raise DataError(f"{where}: {doubled[0]} is in it twice")
    return tuple(parts)


def _part(path: str, old: bytes | None, new: bytes | None) -> Iterator[bytes]:
    head = [f"diff --git a/{path} b/{path}"]
    if old is None or new is None:
        head.append(f"{'new' if old is None else 'deleted'} file mode 100644")
    ids = [NONE if content is None else blob(content) for content in (old, new)]
    head.append(f"index {ids[0]}..{ids[1]}{'' if old is None or new is None else ' 100644'}")
    if _binary(old) or _binary(new):
        yield "".join(f"{line}\n" for line in [*head, "GIT binary patch"]).encode()
        yield from (_binary_lines(new or b""), b"\n", _binary_lines(old or b""), b"\n")
        return
    changed = difflib.diff_bytes(difflib.unified_diff, _lines(old or b""), _lines(new or b""), lineterm=b"\n")
    body = [line for n, line in enumerate(changed) if n > 1]
    if body:
        head.append("--- /dev/null" if old is None else f"--- a/{path}")
        head.append("+++ /dev/null" if new is None else f"+++ b/{path}")
    yield "".join(f"{line}\n" for line in head).encode()
    for line in body:
        yield line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n"


def _lines(content: bytes) -> list[bytes]:
    """Lines as git counts them: a return or a line separator within one ends nothing."""
    return [line for line in re.split(rb"(?<=\n)", content) if line]


def _patched(old: list[bytes], body: tuple[bytes, ...], path: str) -> Iterator[bytes]:
    """The lines of the new file. What the hunks say of the old one must hold."""
    place = 0
    hunks = [n for n, line in enumerate(body) if _HUNK.fullmatch(_decoded(line))]
    for first, end in zip(hunks, [*hunks, len(body)][1:], strict=True):
        found = _HUNK.fullmatch(_decoded(body[first]))
        assert found
        length = int(found[2] or 1)
        start = int(found[1]) - (1 if length else 0)
        yield from old[place:start]
        gone, come = _hunk(body[first + 1 : end], length, int(found[4] or 1))
        if old[start : start + length] != gone:
            raise DataError(f"{path}: line {start + 1} of it is not what the patch says")
        yield from come
        place = start + length
    yield from old[place:]


def _hunk(lines: tuple[bytes, ...], gone: int, come: int) -> tuple[list[bytes], list[bytes]]:
    """The lines of one hunk as they were and as they will be."""
    old: list[bytes] = []
    new: list[bytes] = []
    touched: list[list[bytes]] = []
    for line in lines:
        mark, text = line[:1], line[1:]
        if mark == b"\\":
            for side in touched:
                side[-1] = side[-1].removesuffix(b"\n")
            continue
        if len(old) == gone and len(new) == come:
            break
        touched = [side for side, marks in ((old, b" -"), (new, b" +")) if mark and mark in marks]
        for side in touched:
            side.append(text + b"\n")
    return old, new


def _named(identity: str, content: bytes | None) -> bool:
    if content is None:
        return set(identity) == {"0"}
    return blob(content).startswith(identity)


def _binary(content: bytes | None) -> bool:
    if not content:
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return b"\0" in content


def _binary_lines(content: bytes) -> bytes:
    packed = zlib.compress(content, 9)
    lines = [b"literal %d\n" % len(content)]
    for start in range(0, len(packed), _LINE):
        piece = packed[start : start + _LINE]
        length = chr(len(piece) + (64 if len(piece) <= 26 else 70)).encode()
        lines.append(length + base64.b85encode(piece, pad=True) + b"\n")
    return b"".join(lines)


def _literal(body: tuple[bytes, ...], path: str) -> bytes:
    start = body.index(b"GIT binary patch") + 1
    said = _LITERAL.fullmatch(_decoded(body[start])) if len(body) > start else None
    if said is None:
        raise DataError(f"{path}: only whole binary files are read, not differences of them")
    packed = b""
    try:
        for line in body[start + 1 :]:
            if not line:
                break
            length = line[0] - (64 if line[:1].isupper() else 70)
            packed += base64.b85decode(line[1:])[:length]
        unpacked = zlib.decompressobj().decompress(packed, int(said[1]) + 1)
    except (ValueError, zlib.error) as err:
        raise DataError(f"{path}: the binary file in the patch is broken ({err})") from None
    return unpacked


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace")
