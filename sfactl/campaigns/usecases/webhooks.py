"""Sign a posting, and let one that came in have its effect once: genuine, not old, and not seen before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from sfactl.api.errors import UserError
from sfactl.api.signing import TOLERANCE_S, signed, verify
from sfactl.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One header that goes with a posting."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """A genuine posting. ``repeated`` tells that it came before, and that nothing is to be done about it."""

    id: str
    scheme: str
    repeated: bool = False
    dry_run: bool = False


def sign(session: Session, body: bytes, secret: str, *, message_id: str = "") -> tuple[Header, ...]:
    """The headers for ``body``, signed with what ``secret`` refers to; its hash is the id unless one is given.

    Raises `ConfigError` for the reference.
    """
    name = message_id or hashlib.sha256(body).hexdigest()
    headers = signed(_resolved(session, secret), name, body, session.now())
    return tuple(Header(name=n, value=v) for n, v in headers.items())


def verify_once(
    session: Session,
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    scheme: str = "standard",
    tolerance_s: float = TOLERANCE_S,
    url: str = "",
    once: bool = False,
) -> VerifyResult:
    """The id of a genuine posting. With ``once`` it is kept, so that the next delivery of the same is a repeat.

    Raises `PolicyError` for one that is not genuine or too old, `NotFound` for the scheme.
    """
    found = verify(
        _resolved(session, secret), headers, body, session.now(), scheme=scheme, tolerance_s=tolerance_s, url=url
    )
    repeated = False
    if once:
        with session.write(reason=f"webhook {scheme}", key=f"webhook.{scheme}.{found}") as tx:
            repeated = tx.repeated is not None or tx.commit(webhook=found).repeated
    return VerifyResult(id=found, scheme=scheme, repeated=repeated, dry_run=session.dry_run)


def headers_in(text: str) -> dict[str, str]:
    """The headers in lines ``Name: value``, as ``curl -i`` and most servers write them. Raises `UserError`."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, value = line.partition(":")
        if colon and name.strip():
            found[name.strip()] = value.strip()
        elif line.strip() and not (number == 1 and "HTTP/" in line):
            raise UserError(f"headers, line {number}: {line[:60]!r} is not like Name: value")
    return found


def _resolved(session: Session, reference: str) -> str:
    from sfactl.host.secrets import resolve

    return resolve(reference, session.folder)
