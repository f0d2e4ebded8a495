"""Keep one SMTP connection: opened when needed, verified, logged in, and dropped when it is in doubt."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl

from sfactl.api.context import PluginContext
from sfactl_sender_smtp.settings import SmtpSettings


class Unreachable(Exception):
    """There is no usable connection, and nothing was sent."""


class Connection:
    """One connection at a time to the server of the settings."""

    def __init__(self, settings: SmtpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._server: smtplib.SMTP | None = None
        self.tls = "none"

    def open(self) -> smtplib.SMTP:
        """The open connection, or a new one. Raises `Unreachable`."""
        if self._server is None:
            self._context.check_host(self._settings.host)
            where = f"{self._settings.host}:{self._settings.port}"
            server: smtplib.SMTP | None = None
            try:
                server = self._connect()
                # The final dot goes in a segment of its own and must not wait until the text is acknowledged.
                assert server.sock is not None
                server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._secure(server)
                self._login(server)
            except smtplib.SMTPAuthenticationError as err:
                raise Unreachable(f"{where} refused the login of {self._settings.user}: {err.smtp_code}") from None
            except ssl.SSLError as err:
                raise Unreachable(f"{where} could not be trusted: {err}") from err
            except (OSError, smtplib.SMTPException) as err:
                raise Unreachable(f"{where} cannot be reached: {err or type(err).__name__}") from err
            else:
                self._server, server = server, None
            finally:
                if server is not None:
                    server.close()
        return self._server

    def drop(self) -> None:
        """Close without a word; the next message opens a new one."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def close(self) -> None:
        """Close politely."""
        if self._server is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self.drop()

    def _connect(self) -> smtplib.SMTP:
        s = self._settings
        helo = s.helo or None
        if s.tls == "implicit":
            return smtplib.SMTP_SSL(s.host, s.port, local_hostname=helo, timeout=s.timeout_s, context=self._trust())
        return smtplib.SMTP(s.host, s.port, local_hostname=helo, timeout=s.timeout_s)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self._settings.tls == "starttls":
            server.starttls(context=self._trust())
            server.ehlo()
        version = getattr(server.sock, "version", None)
        self.tls = version() if version else "none"

    def _login(self, server: smtplib.SMTP) -> None:
        if self._settings.user:
            server.login(self._settings.user, self._context.secret(self._settings.password))

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._settings.ca_file or None)
