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
    silent_s: float,
) -> Iterator[Iterator[bytes]]:
    """The lines that ``command`` prints. ``files`` maps a flag to the file, or the JSON object, it is given.

    Raises `DataError` where the program is not there, `ServerFault` where it ends with an error after its last line or
    says nothing for ``silent_s`` seconds.
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
        watch = _Watch(process, silent_s)
        try:
            yield _lines(process, listener, words, command[0], secrets, watch)
        finally:
            watch.done.set()
            _end(process)
            listener.join()
            process.stdout.close()
            process.stderr.close()


class _Watch:
    """Ends a tap that has said nothing for long: reading from it would wait for ever."""

    def __init__(self, process: subprocess.Popen[bytes], silent_s: float) -> None:
        self.lines = 0
        self.done = threading.Event()
        self.ended = False
        self.silent_s = silent_s
        self._process = process
        if silent_s:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        seen = -1
        while not self.done.wait(self.silent_s):
            if self.lines == seen:
                self.ended = True
                self._process.kill()
                return
            seen = self.lines


def _lines(
    process: subprocess.Popen[bytes],
    listener: threading.Thread,
    words: deque[str],
    name: str,
    secrets: tuple[str, ...],
    watch: _Watch,
) -> Iterator[bytes]:
    assert process.stdout is not None
    for line in process.stdout:
        watch.lines += 1
        yield line
        watch.lines += 1  # what we took to write the page is not the tap's silence
    code = process.wait()
    if watch.ended:
        raise ServerFault(
            f"{name} said nothing for {watch.silent_s:g} seconds and was ended",
            hint="What it sent before its last state is kept. Set silent_s for a tap that needs longer.",
        )
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
