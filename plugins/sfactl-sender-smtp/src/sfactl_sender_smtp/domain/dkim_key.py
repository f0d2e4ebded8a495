"""Judge the key that DNS publishes for a selector (RFC 6376, 3.6.1), and whether it is the one that signs."""

from __future__ import annotations

import re

import dkim
from dkim.util import parse_tag_value

from sfactl.api.records import DomainFinding, Verdict
from sfactl_sender_smtp.domain.names import Names
from sfactl_sender_smtp.keys import SHORTEST_RSA, SigningKey

GOOD_RSA = 2048
"""RFC 8301, 3.2."""


def check_key(names: Names, domain: str, selector: str, key: SigningKey | None) -> DomainFinding:
    """The record of ``selector``; ``key`` is the sender's own, where it signs."""
    name = f"{selector}._domainkey.{domain}"
    publish = f"{name} TXT {key.record}" if key else ""
    found = names.texts(name)
    if not found:
        detail = "nothing is published"
    elif len(found) > 1:
        detail = f"{len(found)} records are published, and it is not said which one counts (RFC 6376, 3.6.2.2)"
    else:
        verdict, detail = _judge(name, found[0], key)
        if verdict != "failed":
            return DomainFinding(check="dkim", verdict=verdict, name=name, record=found[0], detail=detail)
    record = found[0] if len(found) == 1 else ""
    return DomainFinding(check="dkim", verdict="failed", name=name, record=record, detail=detail, publish=publish)


def _judge(name: str, record: str, key: SigningKey | None) -> tuple[Verdict, str]:
    try:
        tags = {k.decode(): v.decode() for k, v in parse_tag_value(record.encode()).items()}
        public = re.sub(r"\s", "", tags.get("p", "none"))
        if public == "":
            return "failed", "the key was revoked: p is empty"
        _, bits, algorithm, _ = dkim.evaluate_pk(name, record.encode())
    except (dkim.DKIMException, dkim.util.InvalidTagValueList, ValueError, TypeError) as err:
        return "failed", f"receivers cannot read it: {_plain(err)}"
    said = f"{algorithm.decode()}, {bits} bits"
    if key is not None and public != key.public:
        return "failed", f"{said}: another key than the one that signs"
    if "h" in tags and "sha256" not in re.split(r"[\s:]+", tags["h"].lower()):
        return "failed", f"{said}: it does not allow SHA-256 (h={tags['h']})"
    if algorithm == b"rsa" and bits < SHORTEST_RSA:
        return "failed", f"{said}: receivers do not count keys below {SHORTEST_RSA} (RFC 8301, 3.2)"
    warnings = []
    if algorithm == b"rsa" and bits < GOOD_RSA:
        warnings.append(f"{GOOD_RSA} bits are asked for (RFC 8301, 3.2)")
    if "y" in re.split(r"[\s:]+", tags.get("t", "").lower()):
        warnings.append("t=y says that you are only testing; receivers may treat the mail as unsigned")
    own = ["the key that signs"] if key is not None else []
    return "warning" if warnings else "ok", " · ".join([said, *own, *warnings])


def _plain(err: Exception) -> str:
    text = err.args[0] if err.args else str(err)
    return str(text).partition("(b'")[0].strip()
