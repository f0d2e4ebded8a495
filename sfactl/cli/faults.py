"""Turn whatever a command raises into an exit code and words: the user's mistake, bad luck, or our own bug."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

import click

from sfactl.api.errors import SfactlError, StorageError
from sfactl.cli.emit import envelope
from sfactl.cli.groups import suggest

BROKEN_PIPE = 141
INTERRUPTED = 130


def report(error: BaseException, *, command: str, as_json: bool, debug: bool) -> int:
    """Print ``error`` (envelope on stdout for JSON, words on stderr for people) and answer the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):  # a plugin's command may leave this way
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    if isinstance(error, (KeyboardInterrupt, click.exceptions.Abort)):
        click.echo("Interrupted. What was committed before stays.", err=True)
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        return _silence()
    if debug and not isinstance(error, click.ClickException):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return error.exit_code
    code, exit_code, message, hint = _explained(error)
    message = _from_here(message)
    if as_json:
        _print_json(command, code, message, hint)
    else:
        click.echo(f"error [{code}] {message}", err=True)
        if hint:
            click.echo(hint, err=True)
    return exit_code


def _explained(error: BaseException) -> tuple[str, int, str, str | None]:
    if isinstance(error, click.ClickException):
        return "usage", error.exit_code if error.exit_code != 1 else 2, _usage_message(error), _usage_hint(error)
    if isinstance(error, OSError) and not isinstance(error, SfactlError):
        error = _storage_fault(error) or error
    if isinstance(error, SfactlError) and error.code != "bug":
        return error.code, error.exit_code, error.message, error.hint
    where = _keep_traceback(error)
    said = (str(error).strip().splitlines() or ["no message"])[0]
    return (
        "bug",
        1,
        f"this is a bug in sfactl: {type(error).__name__}: {said}",
        f"Please report it with the log {where}",
    )


def _from_here(message: str) -> str:
    """The message with files below the current folder named as seen from it."""
    with contextlib.suppress(OSError):
        here = str(Path.cwd())
        return message.replace(f"{here}/", "") if here != "/" else message
    return message


def _usage_message(error: click.ClickException) -> str:
    message = error.format_message()
    ctx = getattr(error, "ctx", None)
    name = getattr(error, "command_name", None)
    if "Did you mean" in message or ctx is None or name is None or not isinstance(ctx.command, click.Group):
        return message
    return message + suggest(name, ctx.command.list_commands(ctx))


def _usage_hint(error: click.ClickException) -> str | None:
    ctx = getattr(error, "ctx", None)
    return f"See: {ctx.command_path} --help" if ctx is not None else None


def _storage_fault(error: OSError) -> StorageError | None:
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageError(
            f"the disk is full{place}", hint="Free some space and run it again; nothing is half written."
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageError(f"no right to read or write{place}", hint="Check who owns the folder.")
    if error.errno == errno.EIO:
        return StorageError(
            f"the disk failed{place}: {error.strerror}", hint="Check the disk, then: sfactl data verify"
        )
    return None


def _keep_traceback(error: BaseException) -> str:
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    for folder in (Path(".sfactl/tmp"), Path(tempfile.gettempdir())):
        if not folder.is_dir():
            continue
        try:
            handle, name = tempfile.mkstemp(prefix="sfactl-bug-", suffix=".log", dir=folder)
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError:
            continue
        return name
    return "(could not be written; add --debug to see it)"


def _print_json(command: str, code: str, message: str, hint: str | None) -> None:
    try:
        click.echo(envelope(command, "error", error={"code": code, "message": message, "hint": hint}))
    except OSError:
        click.echo(f"error [{code}] {message}", err=True)


def _silence() -> int:
    # The reader is gone. What is still buffered goes nowhere, and the interpreter must not complain at exit.
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return BROKEN_PIPE
