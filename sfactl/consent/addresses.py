"""What one address is, however it is written: the form in which addresses are stored, compared and hashed.

E-mail: letters in lower case, accents composed, an international domain in its own letters. Dots and what stands behind
a plus belong to the address: only the domain's owner knows whether they mean the same mailbox. Telephone: E.164.
"""

from __future__ import annotations

import re
from typing import Literal

from sfactl.api.errors import UserError

_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.I)

Kind = Literal["email", "phone", "hash"]


def address_of(text: str, country: str) -> tuple[Literal["email", "phone"], str]:
    """The address that ``text`` writes; telephone numbers without a prefix are of ``country``. Raises `UserError`."""
    said = text.strip()
    if "@" in said:
        return "email", _email(said)
    import phonenumbers

    try:
        number = phonenumbers.parse(said, country or None)
    except phonenumbers.NumberParseException:
        raise UserError(f"{text!r} is neither an e-mail address nor a phone number") from None
    return "phone", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def listed_of(text: str, country: str) -> tuple[Kind, str]:
    """An address, or the MD5, SHA-1 or SHA-256 of one in hexadecimal. Raises `UserError`."""
    said = text.strip()
    if _HASH.fullmatch(said):
        return "hash", said.lower()
    return address_of(said, country)


def _email(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    if len(re.findall("@", text)) > 1 and re.search(r"[\s,;]", text):
        raise UserError(f"{text!r} is more than one address", hint="Name one at a time.")
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as err:
        raise UserError(f"{text!r} is no e-mail address: {err}") from None
    return f"{found.local_part}@{found.domain}".lower()
