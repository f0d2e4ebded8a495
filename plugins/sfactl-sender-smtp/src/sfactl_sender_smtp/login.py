"""Log in by the mechanism of the settings, or by the best that the server offers."""

from __future__ import annotations

import smtplib

from sfactl_sender_smtp.settings import SmtpSettings


def log_in(server: smtplib.SMTP, settings: SmtpSettings, password: str) -> None:
    """Log in. Raises `smtplib.SMTPException`; no message of it holds the password."""
    if not password.isascii() or not settings.user.isascii():
        raise smtplib.SMTPException("user and password must be ASCII") from None
    if settings.auth == "auto":
        server.login(settings.user, password)
        return
    mechanism = settings.auth.upper()
    offered = server.esmtp_features.get("auth", "").upper().split()
    if mechanism not in offered:
        raise smtplib.SMTPNotSupportedError(
            f"it does not offer the login {mechanism}, but {' '.join(offered) or 'none'}"
        )
    if settings.auth == "xoauth2":
        answer = f"user={settings.user}\x01auth=Bearer {password}\x01\x01"
        # A refusal is told in a challenge of its own, to which an empty line is owed before the 535 comes.
        server.auth(mechanism, lambda challenge=None: "" if challenge else answer)
        return
    server.user, server.password = settings.user, password  # where smtplib's mechanisms look for them
    server.auth(mechanism, getattr(server, f"auth_{settings.auth.replace('-', '_')}"))
