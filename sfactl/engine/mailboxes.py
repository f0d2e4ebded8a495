"""Which e-mail addresses identify nobody: mailboxes that a company shares, and domains that anybody can have one at."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

FREE_MAIL_FAMILIES = ("gmail", "googlemail", "yahoo", "ymail", "hotmail", "outlook", "live", "msn", "gmx", "yandex")
"""Providers with the same name under many endings."""

ROLES = (
    "abuse", "account", "accounting", "accounts", "admin", "administration", "billing", "booking", "bookings",
    "business", "careers", "company", "compras", "contact", "contacto", "contactus", "customerservice", "einkauf",
    "enquiries", "enquiry", "export", "feedback", "finance", "general", "hallo", "hello", "help", "helpdesk", "hr",
    "import", "info", "information", "inquiries", "inquiry", "invoice", "invoices", "it", "jobs", "kontakt", "legal",
    "mail", "mailbox", "marketing", "media", "news", "newsletter", "noreply", "nobody", "none", "office", "orders",
    "order", "postmaster", "press", "procurement", "purchase", "purchasing", "reception", "recruitment",
    "reservations", "root", "sales", "secretary", "security", "service", "services", "shop", "spam", "staff",
    "support", "team", "tech", "test", "vendas", "ventas", "verkauf", "vertrieb", "webmaster", "welcome",
)  # fmt: skip
"""Names of mailboxes that several people read (RFC 2142 and custom), without dots and dashes."""


@lru_cache(maxsize=1)
def free_mail_domains() -> frozenset[str]:
    """Providers of private mailboxes, without those of `FREE_MAIL_FAMILIES`; from ``free_mail.txt``."""
    lines = Path(__file__).with_name("free_mail.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def is_free_mail(domain: str) -> bool:
    """Whether anybody can have an address at ``domain``."""
    return domain in free_mail_domains() or domain.split(".")[0] in FREE_MAIL_FAMILIES


def free_mail(domains: Iterable[str]) -> list[str]:
    """Those of ``domains`` that identify nobody."""
    return [d for d in domains if is_free_mail(d)]
