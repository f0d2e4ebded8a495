"""Run a tap as a process of its own: its files are private and go away, its end is noticed, its last words are kept."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sfactl.api.errors import DataError, ServerFault

LAST_WORDS = 5
PATIENCE_S = 10.0


@contextmanager
def running(
    command: tuple[str, ...],
    *,
    folder: Path,
    files: Mapping[str, Mapping[str, Any] | Path],
    secrets: tuple[str, ...],
) -> Iterator[Iterator[bytes]]:
    """The lines that ``command`` prints. ``files`` maps a flag to the file, or the JSON object, it is given.

    Raises `DataError` where the program is not there, `ServerFault` where it ends with an error after its last line.
    """
    with tempfile.TemporaryDirectory(prefix="sfactl-singer-") as private:
        arguments = [part for flag, file in files.items() for part in (flag, _path(flag, file, Path(private)))]
        try:
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except OSError as err:
            raise DataError(
                f"command: {command[0]} cannot be run ({err.strerror})", hint="Is the tap installed?"
            ) from None
        assert process.stdout is not None
        assert process.stderr is not None
        words: deque[str] = deque(maxlen=LAST_WORDS)
        listener = threading.Thread(target=_listen, args=(process.stderr, words), daemon=True)
        listener.start()
        try:
            yield _lines(process, listener, words, command[0], secrets)
        finally:
            _end(process)
            listener.join()
            process.stdout.close()
            process.stderr.close()


def _lines(
    process: subprocess.Popen[bytes], listener: threading.Thread, words: deque[str], name: str, secrets: tuple[str, ...]
) -> Iterator[bytes]:
    assert process.stdout is not None
    yield from process.stdout
    code = process.wait()
    if code != 0:
        listener.join()
        said = "\n".join(words)
        for secret in secrets:
            said = said.replace(secret, "•••")
        raise ServerFault(f"{name} ended with {code}: {said}", hint="What it sent before its last state is kept.")


def _path(flag: str, file: Mapping[str, Any] | Path, private: Path) -> str:
    if isinstance(file, Path):
        return str(file)
    path = private / f"{flag.strip('-')}.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(file), encoding="utf-8")
    return str(path)


def _listen(stream: IO[bytes], words: deque[str]) -> None:
    for line in stream:
        words.append(line.decode("utf-8", "replace").rstrip())


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
