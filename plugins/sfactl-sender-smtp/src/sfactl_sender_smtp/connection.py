"""Keep one SMTP connection: opened when needed, verified and logged in, dropped when in doubt or when it did enough."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl

from sfactl.api.context import PluginContext
from sfactl_sender_smtp.exchange import Exchange
from sfactl_sender_smtp.login import log_in
from sfactl_sender_smtp.replies import Server, TlsServer
from sfactl_sender_smtp.settings import SmtpSettings


class Unreachable(Exception):
    """There is no usable connection, and nothing was sent."""


class Connection:
    """One connection at a time to the server of the settings."""

    def __init__(self, settings: SmtpSettings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._exchange: Exchange | None = None
        self.tls = "none"

    @property
    def announced(self) -> bool:
        """Whether the server waits for the text of a letter that was announced."""
        return self._exchange is not None and self._exchange.announced

    def open(self, *, pipelining: bool = True) -> Exchange:
        """The open connection, or a new one; without ``pipelining`` it waits for each reply. Raises `Unreachable`."""
        if self._exchange is None:
            server = self._server()
            wanted = self._settings.pipelining and pipelining
            self._exchange = Exchange(server, pipelining=wanted, answer_wait_s=self._settings.answer_wait_s)
        return self._exchange

    def spare(self) -> None:
        """Let go of the connection if nothing more should be sent over it."""
        exchange = self._exchange
        if exchange is None:
            return
        most = self._settings.messages_per_connection
        if exchange.broken:
            self.drop()
        elif most and exchange.taken >= most:
            self.close()

    def drop(self) -> None:
        """Close without a word; the next message opens a new one."""
        if self._exchange is not None:
            self._exchange.server.close()
            self._exchange = None

    def close(self) -> None:
        """Close politely."""
        if self._exchange is not None:
            # Where a letter was announced the server waits for its text and would take a goodbye for that.
            if not self.announced:
                with contextlib.suppress(OSError, smtplib.SMTPException):
                    self._exchange.server.quit()
            self.drop()

    def _server(self) -> smtplib.SMTP:
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
        except ssl.SSLCertVerificationError as err:
            raise Unreachable(f"{where} could not be trusted: {err.verify_message}") from err
        except ssl.SSLError as err:
            raise Unreachable(f"{where} could not be trusted: {err}") from err
        except smtplib.SMTPNotSupportedError as err:
            raise Unreachable(f"{where} does not do what is asked of it: {err}") from err
        except (OSError, smtplib.SMTPException) as err:
            raise Unreachable(f"{where} cannot be reached: {err or type(err).__name__}") from err
        else:
            opened, server = server, None
            return opened
        finally:
            if server is not None:
                server.close()

    def _connect(self) -> smtplib.SMTP:
        s = self._settings
        helo = s.helo or None
        if s.tls == "implicit":
            return TlsServer(s.host, s.port, local_hostname=helo, timeout=s.timeout_s, context=self._trust())
        return Server(s.host, s.port, local_hostname=helo, timeout=s.timeout_s)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if self._settings.tls == "starttls":
            # Without STARTTLS in its greeting this raises: a stripped offer must not lead to mail in the clear.
            server.starttls(context=self._trust())
            server.ehlo()
        version = getattr(server.sock, "version", None)
        self.tls = version() if version else "none"

    def _login(self, server: smtplib.SMTP) -> None:
        if self._settings.user:
            log_in(server, self._settings, self._context.secret(self._settings.password))

    def _trust(self) -> ssl.SSLContext:
        ca_file = self._context.workspace / self._settings.ca_file if self._settings.ca_file else None
        trust = ssl.create_default_context(cafile=ca_file)
        trust.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996
        return trust
