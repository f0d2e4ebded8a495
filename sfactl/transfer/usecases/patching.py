"""Compare rules and settings with those of another workspace, and bring rules over by a patch that can be reviewed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import is_zipfile

from sfactl.api.errors import Conflict, DataError, NotFound
from sfactl.config.explain import compare, layers_of
from sfactl.config.layers import FILE
from sfactl.config.secrets import check_secrets
from sfactl.session import Session
from sfactl.transfer.archive import unpack
from sfactl.transfer.comparing import Difference, compare_files
from sfactl.transfer.model import LARGEST, check_path, rule_files
from sfactl.transfer.patch import read_patch, write_patch
from sfactl.transfer.references import parsed
from sfactl.transfer.usecases.effects import Effect
from sfactl.transfer.usecases.placing import Check, Placed, place


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What a patch did, file by file; in a dry run, what the rules would do on the data of now."""

    patch: str
    files: tuple[Placed, ...]
    written: bool
    effects: tuple[Effect, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether any file is otherwise than before."""
        return any(f.what != "same" for f in self.files)


def differences(
    folder: Path, other: Path, *, env: str | None, other_env: str | None, remove: bool = False
) -> tuple[tuple[Difference, ...], bytes]:
    """What makes ``other`` (a workspace, or an archive of rules) like ``folder``, and the patch that does it.

    The patch holds rules only; settings and connections are compared under the environments and belong to each place.
    Files that only ``other`` has stay, unless ``remove``. Raises `NotFound`, or `ConfigError` for a secret in a rule.
    """
    here = rule_files(folder)
    settings: tuple[Difference, ...] = ()
    if other.is_dir():
        if not (other / FILE).is_file():
            raise NotFound(f"{other} is not a workspace: it has no {FILE}")
        there = rule_files(other)
        settings = _settings(other, other_env, folder, env)
    elif is_zipfile(other):
        there = dict(unpack(other).files)
        here = {path: content for path, content in here.items() if path in there}
    else:
        raise NotFound(f"{other} is neither a workspace nor an archive of rules")
    after = here if remove else {**{p: c for p, c in there.items() if p not in here}, **here}
    for path, content in after.items():
        if content != there.get(path):
            check_secrets(parsed(content) or {}, where=path)
    return (*compare_files(there, here), *settings), write_patch(there, after)


def apply_patch(session: Session, path: Path, check: Check) -> Applied:
    """Change the rules as the patch ``path`` says; what is as it would become already is left alone.

    Raises `DataError` for what is no patch of rules, `Conflict` where a file is not as it was when the patch was made,
    and `ConfigError` for rules that would not be right. Then nothing is written.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: is larger than {LARGEST // 1024**2} MB")
        parts = read_patch(path.read_bytes(), where=str(path))
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from None
    files: dict[str, bytes | None] = {}
    moved = []
    for part in parts:
        check_path(part.path, where=str(path))
        file = session.folder / part.path
        now = file.read_bytes() if file.is_file() else None
        if part.done(now):
            files[part.path] = now
        elif part.fits(now):
            files[part.path] = part.apply(now)
        else:
            moved.append(part.path)
    if moved:
        raise Conflict(
            f"{path}: {', '.join(moved)}: not as it was when the patch was made",
            hint="Nothing was written. Make the patch again: sfactl workspace diff",
        )
    placed = place(session, files, check)
    return Applied(patch=str(path), files=placed.files, written=not session.dry_run, effects=placed.effects)


def _settings(there: Path, env_there: str | None, here: Path, env_here: str | None) -> tuple[Difference, ...]:
    # Without the machine's variables: they would hide on both sides what the files say.
    one, other = (layers_of(f, env=e, environ={}) for f, e in ((there, env_there), (here, env_here)))
    return tuple(
        Difference(place="settings", what="setting", key=d.key, there=d.one, here=d.other) for d in compare(one, other)
    )
