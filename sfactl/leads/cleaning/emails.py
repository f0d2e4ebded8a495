"""Clean e-mail addresses: the domain in lower case, the local part as written (it is compared without case).

What a strict pattern accepts is right; all else is judged by email-validator, without asking any server. Of several
addresses in one cell the first valid one is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sfactl.engine.duck import Query
from sfactl.leads.cleaning.expression import Answer, Expression, literal, look_up

PATTERN = (
    r"[A-Za-z0-9_+&'/=-]+(?:\.[A-Za-z0-9_+&'/=-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}"
)
"""What needs no second look; a test compares it with email-validator."""
NOT_VALID = "e-mail not valid"


def email_expression(query: Query, text: str, source: str) -> Expression:
    """SQL for the address; ``text`` is its cleaned text, ``source`` where to read it from."""
    good = f"regexp_full_match({text}, {literal(PATTERN)}) and length({text}) <= 120 and not contains({text}, '--')"
    doubted = f"select distinct {text} as raw from {source} where {text} is not null and not ({good})"
    asked = look_up(query, doubted, "email_answers", judged, ("email", "problem", "several"))
    at = f"split_part({text}, '@', 1) || '@' || lower(split_part({text}, '@', 2))"
    lowered = f"{text} <> {at}"
    if not asked:
        return Expression(value=at, counts={"emails": f"coalesce({lowered}, false)"})
    return Expression(
        value=f"case when {good} then {at} else ea.email end",
        problem="ea.problem",
        joins=(f"left join email_answers ea on ea.raw = {text}",),
        counts={
            "emails": f"coalesce(case when {good} then {lowered} else ea.email is not null end, false)",
            "several_emails": "coalesce(ea.several is not null, false)",
        },
    )


def judged(rows: Sequence[Answer]) -> list[Answer]:
    """(address, problem, several) for each text."""
    return [_judge(row[0] or "") for row in rows]


def _judge(text: str) -> Answer:
    found = [e for e in (validated(part) for part in _parts(text)) if e]
    if not found:
        return (None, NOT_VALID, None)
    return (found[0], None, "yes" if len({e.lower() for e in found}) > 1 else None)


def _parts(text: str) -> list[str]:
    """The addresses of a cell, without ``mailto:``, names, angle brackets and the punctuation around them."""
    text = re.sub(r"(?i)\bmailto:", "", text)
    bracketed = re.findall(r"<([^<>]+@[^<>]+)>", text)
    if bracketed:
        return [b.strip() for b in bracketed]
    whole = text.strip(" .,;:<>()[]\"'")
    cut = [p.strip(" .,;:<>()[]\"'") for p in re.split(r"[;,、|\s]+|/(?=[^/]*@)", text)]
    return [whole, *(p for p in cut if "@" in p and p != whole)]


def validated(address: str) -> str | None:
    """The normalised address, or None if its syntax is wrong."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return f"{found.local_part}@{found.domain.lower()}"
