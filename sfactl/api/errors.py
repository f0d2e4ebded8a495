"""The one tree of errors: what the user can fix, what may pass by itself, and what is our own bug.

Every class has a stable ``code`` (shown in brackets, safe to match in scripts) and an exit code. A message names the
file, the key path or row, and the offending value; the hint says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class SfactlError(Exception):
    """Base of all errors that sfactl raises on purpose."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(SfactlError):
    """The user can fix it: a wrong value, name, file or right."""

    code = "input"
    exit_code = 2


class ConfigError(UserError):
    """A TOML file, a key or a value in it is wrong. The message starts with ``file: key path:``."""

    code = "config"


class ConditionError(UserError):
    """A condition does not parse or does not type-check. The message names the position and the nearest name."""

    code = "condition"


class DataError(UserError):
    """A data file given by the user cannot be read, or is ambiguous and must be stated in the mapping."""

    code = "data"


class NotFound(UserError):
    """A named thing (lead, dataset, segment, plan …) does not exist."""

    code = "not-found"


class PolicyError(UserError):
    """A rule of the house or of the configuration forbids it: illegal move, missing approval …"""

    code = "policy"


class PluginError(SfactlError):
    """A plugin failed to load, answered wrongly, or clashes with another. Others carry on."""

    code = "plugin"


class AuthError(UserError):
    """The other side refused our credentials."""

    code = "auth"
    exit_code = 1


class TryLater(SfactlError):
    """It may work by itself later: busy, locked, unreachable, rate-limited."""

    code = "later"


class LockBusy(TryLater):
    """Another process holds the lock for longer than the wait allowed."""

    code = "locked"


class RateLimited(TryLater):
    """The other side asks us to slow down.

    ``after_s`` is the wait it asked for, in seconds, or None.
    """

    code = "rate-limited"

    def __init__(self, message: str, *, after_s: float | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.after_s = after_s


class Conflict(SfactlError):
    """The state moved since the caller read it or made its plan."""

    code = "conflict"
    exit_code = 5


class StorageError(SfactlError):
    """The workspace cannot be read or written: full disk, torn file, newer manifest …"""

    code = "storage"


class ErpError(SfactlError):
    """Base of what the other side may do to us: an ERP, a web service, a tap. Subclasses say how we react."""

    code = "remote"


class Refused(ErpError):
    """The other side understood and said no. Never retried; shown to a person with the reason."""

    code = "remote.refused"


class NeedsConfirmation(ErpError):
    """The other side asks a person to confirm, for instance a credit limit. Never confirmed automatically."""

    code = "remote.confirm"


class Transient(ErpError):
    """Nothing was changed on the other side and a retry with backoff is safe."""

    code = "remote.transient"


class Ambiguous(ErpError):
    """The answer was lost after sending: the effect may or may not have happened. The ledger holds it as unknown."""

    code = "remote.ambiguous"


class ServerFault(ErpError):
    """The other side has a bug; not retried blindly."""

    code = "remote.fault"


class InternalError(SfactlError):
    """Our own bug."""

    code = "bug"
