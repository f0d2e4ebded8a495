"""Why a mail came back: by the words of the server, then by its enhanced status, then by its reply code.

The names of reasons are those of Sisimai, which the field uses. What nothing tells is ``undefined``, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

UNDEFINED = "undefined"
VAGUE = ("0.0", "1.0", "2.0", "3.0", "5.0", "7.0", "7.1")
"""Statuses that say less than the weakest words."""

PERMANENT = frozenset({"userunknown", "hasmoved", "hostunknown"})
"""Reasons that a status of class 4 (RFC 3463, 3.1: it may pass) speaks against, whatever the words."""

LONGEST = 8000
"""Characters of what a server said that are looked at."""

_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_BEHIND_REPLY = re.compile(r"(?<![\d.])[45]\d\d[ \-]+['\"#(\[]*([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_VAGUE_STATED = ("", ".0.0", ".1.0", ".4.7", ".5.0")
"""What says less than the words of the server that refused: a class, "other address status", and giving up."""
_REPLY = re.compile(r"(?<![\d.#-])([245][0-5]\d)(?=[ \-:,;.<]|$)")
_QUOTED = re.compile(r"[45]\d\d <[^<>\s]+>\.\.\. ([45][0-5]\d) ")
"""Sendmail's own reply about a recipient, and behind it the one that it got."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One reason and the words that tell it, in answer to the commands ``stage`` and ``unless`` the status begins so.

    ``weak`` words count only where the status says no more.
    """

    name: str
    words: re.Pattern[str]
    stage: frozenset[str] = frozenset()
    unless: tuple[str, ...] = ()
    weak: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """All rules in their order, codes of servers' own, and the reason of each enhanced status without its class."""

    own: tuple[Rule, ...]
    rules: tuple[Rule, ...]
    certain: Mapping[str, str]
    codes: Mapping[str, str]


@cache
def reasons() -> Reasons:
    """The table in ``reasons.toml``."""
    import tomllib

    data = tomllib.loads(resources.files("sfactl.feedback").joinpath("reasons.toml").read_text("utf-8"))
    return Reasons(
        own=tuple(
            Rule(name=name, words=re.compile(rf"(?<![\w-])(?:{'|'.join(codes)})(?![\w-])"))
            for name, codes in data["own"].items()
        ),
        rules=tuple(
            Rule(
                name=entry["name"],
                words=re.compile("|".join(entry["words"])),
                stage=frozenset(entry.get("stage", ())),
                unless=tuple(entry.get("unless", ())),
                weak=entry.get("weak", False),
            )
            for entry in data["reason"]
        ),
        certain=data["certain"],
        codes=data["codes"],
    )


def status_in(text: str) -> str:
    """The most telling enhanced status of ``text``: the first that is more than its class, else the first."""
    found = [".".join(m.groups()) for m in _STATUS.finditer(text)]
    # Among refusals a talk holds answers that were no refusals (250 2.1.0 Ok).
    found = [s for s in found if not s.startswith("2.")] or found
    return next((s for s in found if not s.endswith(".0.0")), found[0] if found else "")


def finest(stated: str, said: str, nearby: str) -> str:
    """The status that tells most: what the refusing server wrote behind its reply code, else what the report states.

    A report's own status may be that of the server that gave up (4.4.7), or nothing but a class.
    """
    remote = [".".join(m.groups()) for m in _BEHIND_REPLY.finditer(said)]
    remote = [s for s in remote if not s.endswith(".0.0")]
    if remote and (stated[1:] in _VAGUE_STATED or said.startswith(reply_in(said) or "-")):
        return remote[-1]
    if stated and not stated.endswith(".0.0"):
        return stated
    # What stands elsewhere in the letter may be about another recipient.
    elsewhere = "" if stated and said else status_in(nearby)
    return status_in(said) or elsewhere or stated


def reply_in(text: str) -> str:
    """The first SMTP reply code in ``text`` that is a refusal."""
    if quoted := _QUOTED.match(text):
        return quoted.group(1)
    found = [m.group(1) for m in _REPLY.finditer(text)]
    return next((code for code in found if code[0] in "45"), "")


def reply_with(status: str, text: str) -> str:
    """The reply code that stands before ``status`` in ``text``: one server may quote the refusal of another."""
    found = re.search(rf"(?<![\d.])([45][0-5]\d)[ \-]+['\"#(\[]*{re.escape(status)}(?![\d.])", text) if status else None
    return found.group(1) if found else ""


def reason_of(diagnosis: str, status: str, reply_code: str, stage: str) -> str:
    """The reason that the words, the status and the answered command tell together."""
    text = re.sub(r"\s+", " ", diagnosis[:LONGEST].lower())
    # Addresses may hold any word.
    text = re.sub(r"<?[^\s<>@()]+@[^\s<>@()]+>?", "<address>", text)
    text = re.sub(r"https?://\S+", "", text)
    text = re.sub(r"(smtp )?error from remote mail(er| server) after [^:]{0,60}:", "", text)
    # What Postfix puts before the words of whoever refused says nothing by itself.
    text = re.sub(
        r"recipient address rejected: (?!access denied)(?=\w)|delivery temporarily suspended: (?=\w)", "", text
    )
    table = reasons()
    detail = status.partition(".")[2]
    wide = re.sub(r"(?<=\.\d)\d\d$", "xx", status)
    if certain := table.certain.get(detail) or table.certain.get(wide):
        return certain
    if code := next((rule.name for rule in table.own if rule.words.search(text)), ""):
        return code
    weak = ""
    for rule in table.rules:
        if (rule.stage and stage not in rule.stage) or not rule.words.search(text):
            continue
        if rule.name in PERMANENT and status.startswith("4"):
            continue
        if rule.unless and detail.startswith(rule.unless):
            continue
        if rule.name == "userunknown" and detail.startswith("7."):
            return "filtered"  # the server says that it is a matter of policy (RFC 3463, 3.8), whatever it tells others
        if not rule.weak:
            return rule.name
        weak = weak or rule.name
    if detail in table.codes and not (weak and detail in VAGUE):
        return table.codes[detail]
    return weak or _by_reply(reply_code, stage, status)


def _by_reply(code: str, stage: str, status: str) -> str:
    if code in ("500", "501", "502", "503", "504"):  # RFC 5321, 4.2.2
        return "syntaxerror"
    if stage == "rcpt" and code in ("550", "551", "553"):
        return "userunknown"
    if stage == "mail" and code.startswith("5"):
        return "rejected"
    if stage == "data" and code.startswith("5"):
        return "filtered"
    by_code = {"552": "mailboxfull", "452": "mailboxfull", "421": "expired"}
    if code in by_code:
        return by_code[code]
    return "expired" if status.startswith("4") else UNDEFINED
