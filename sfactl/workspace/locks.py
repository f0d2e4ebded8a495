"""Locks of a workspace: one file a dataset or scope, held by the kernel for as long as the process lives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sfactl.api.errors import LockBusy
from sfactl.workspace.manifest import disk_error


@contextmanager
def locked(folder: Path, names: Sequence[str], *, wait_s: float) -> Iterator[None]:
    """Hold the locks of ``names``; taken in sorted order, so that two writers cannot wait for each other.

    Raises `LockBusy` when one is not free within ``wait_s`` seconds.
    """
    from filelock import FileLock, Timeout

    with ExitStack() as stack:
        for name in sorted(set(names)):
            lock = FileLock(folder / f"{name}.lock", timeout=wait_s, mode=0o600)
            try:
                stack.enter_context(lock)
            except Timeout:
                raise LockBusy(
                    f"{name} is being changed by another process", hint="Try again when it is done."
                ) from None
            except OSError as err:
                raise disk_error(err, folder) from err
        yield
